/** A gateway as a process, its PostgreSQL as processes of their own behind a line, an upstream that counts, and the ledger of it all. */

import { setTimeout as sleep } from "node:timers/promises";
import type { TokenAnswer } from "../../server/contract.ts";
import { DatabaseLine } from "../standins/databaseLine.ts";
import { type GatewayProcess, startGatewayProcess } from "../standins/gatewayProcess.ts";
import { databaseOf, Postgres } from "../standins/postgres.ts";
import { type Scene, startScene, visit, type WorldOptions } from "../standins/world.ts";
import { sealAndVerify } from "./verified.ts";
import { Ledger, nothingWrong as nothingWrongInLedger, type Wrong } from "./ledger.ts";
import { answerLoad, Load, type LoadSession } from "./load.ts";

/** For `beforeAll` and `afterAll`, ms: two servers are made and two processes started, on whatever machine it is. */
export const setTime = 300_000;

/** And every session that is over, and is sealed by now, verifies offline. */
type Check = Wrong & { readonly unverified: readonly string[] };
export const nothingWrong: Check = { ...nothingWrongInLedger, unverified: [] };

export class Stage {
  readonly scene: Scene;
  readonly line: DatabaseLine;
  readonly ledger: Ledger;
  readonly loads: Load[] = [];
  /** The primary. */
  server: Postgres;
  gateway: GatewayProcess | null = null;
  /** Further ones on the same database. */
  readonly others: GatewayProcess[] = [];
  /** All that ever were, so that none is left running. */
  readonly #servers: Postgres[];
  #sessions = 0;
  /** Not closed yet. */
  #open: TokenAnswer[] = [];
  #url = "";

  private constructor(parts: { scene: Scene; line: DatabaseLine; server: Postgres }) {
    this.scene = parts.scene;
    this.line = parts.line;
    this.server = parts.server;
    this.#servers = [parts.server];
    this.ledger = new Ledger(databaseOf(() => this.server));
  }

  /** `server`: one that was made elsewhere, for instance on a small disk. */
  static async set(options: WorldOptions = {}, server: Postgres | null = null): Promise<Stage> {
    const primary = server ?? (await Postgres.start());
    const line = await DatabaseLine.to(primary.connectionString);
    const scene = await startScene(answerLoad, {
      upstream: { keep: "digests" },
      ...options,
      database: databaseOf(() => primary),
      databaseThrough: async () => line.connectionString,
    });
    return new Stage({ scene, line, server: primary });
  }

  async startGateway(env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    this.gateway = await startGatewayProcess(this.scene.file, env);
    this.#url = this.gateway.url;
    return this.gateway;
  }

  /** One more, for as long as the stage stands. */
  async startAnother(): Promise<GatewayProcess> {
    const other = await startGatewayProcess(this.scene.file);
    this.others.push(other);
    return other;
  }

  async killGateway(): Promise<void> {
    await this.gateway?.kill("SIGKILL");
  }

  async addStandby(): Promise<Postgres> {
    const standby = await this.server.addStandby();
    this.#servers.push(standby);
    return standby;
  }

  signalGateway(signal: "SIGSTOP" | "SIGCONT"): void {
    if (this.gateway !== null) process.kill(this.gateway.pid, signal);
  }

  /** New sessions, so that no token grows old however long the test is. */
  async openSessions(count: number): Promise<TokenAnswer[]> {
    const opened = await Promise.all(Array.from({ length: count }, () => this.#openSession()));
    this.#open.push(...opened);
    return opened;
  }

  /** Asked until it is answered: a disk that all tests share may stall longer than the gateway waits for it. */
  async #openSession(): Promise<TokenAnswer> {
    const { openSession } = visit(this.#url, this.scene.issuer);
    for (;;)
      try {
        return await openSession({ jti: `session-${(this.#sessions += 1)}` });
      } catch (error) {
        if (!(error instanceof Error && /: 503 /.test(error.message))) throw error;
        await sleep(50);
      }
  }

  /** Goes on until it is stopped, at whichever gateway runs, or at this one. */
  startLoad(sessions: readonly LoadSession[], width: number, at?: GatewayProcess): Load {
    const load = new Load(() => at?.url ?? this.#url, `load${this.loads.length}`);
    this.loads.push(load);
    load.start(sessions, width);
    return load;
  }

  /** Resolves when the upstream has got that many requests more. */
  moreReceived(count: number): Promise<void> {
    return this.scene.upstream.received(this.scene.upstream.requests.length + count);
  }

  /** ms until a write of this session passes again, at this gateway: it is not started again for it. */
  async untilServed(session: LoadSession, at?: GatewayProcess): Promise<number> {
    const load = new Load(() => at?.url ?? this.#url, `probe${this.loads.length}`);
    this.loads.push(load);
    const started = performance.now();
    // The second of every eight is a small write.
    for (;;) {
      const { answer, reads } = await load.call(session);
      if (answer?.status === 200 && !reads) return performance.now() - started;
      if (answer?.status !== 200) await sleep(20);
    }
  }

  /** Until twenty calls that come together are all refused with 503; what became of them is in the ledger too. */
  async untilRefused(session: LoadSession): Promise<void> {
    const load = new Load(() => this.#url, `crowd${this.loads.length}`);
    this.loads.push(load);
    for (;;) {
      const crowd = await Promise.all(Array.from({ length: 20 }, () => load.call(session)));
      if (crowd.every(({ answer }) => answer?.status === 503)) return;
    }
  }

  /** Calls that have begun and not ended, as the gateway counts them. */
  async inFlight(): Promise<number> {
    const text = await (await fetch(`${this.#url}/metrics`)).text();
    return Number(/^dogwatch_calls_in_flight (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }

  /** What is wrong when everything has come to rest. Closes the sessions. */
  async check(foreseen: { readonly unreachable?: boolean } = {}): Promise<Check> {
    await this.ledger.settle();
    const wrong = await this.ledger.check(
      this.loads.flatMap(({ sendings }) => sendings),
      this.scene.upstream.requests,
      foreseen,
    );
    return { ...wrong, unverified: await sealAndVerify(this.#url, this.#open.splice(0)) };
  }

  async strike(): Promise<void> {
    await Promise.all(this.loads.map((load) => load.stop()));
    await this.killGateway();
    for (const other of this.others) await other.kill("SIGKILL");
    await this.line.close();
    await this.scene.close();
    for (const server of this.#servers) await server.stop();
  }
}
