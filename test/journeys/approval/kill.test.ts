/** The gateway is killed at every step of an approval, and started again: nothing is sent twice or unapproved, nobody is asked twice, no answer is lost. */

import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, type TestContext, test } from "vitest";
import type { ApprovalJson } from "../../../server/contract.ts";
import { type GatewayProcess, startGatewayProcess } from "../../standins/gatewayProcess.ts";
import { deleteMonitor, deletesOf, type Reviewed, startReviewed } from "../../standins/reviewed.ts";
import { createTurns } from "../../standins/turns.ts";
import { visit } from "../../standins/world.ts";

/** Gateways that all start at once take longer than a start waits for its database, which is two seconds. */
const starts = createTurns();

/** A gateway that is killed and started again, with a database, a pull request and a Datadog of its own: much of what happens here is waiting. */
class Scenario {
  readonly scene: Reviewed;
  readonly database: Client;
  readonly #withheld: { method: string | null };
  #gateway: GatewayProcess | null = null;
  #monitor = 0;

  private constructor(scene: Reviewed, database: Client, withheld: { method: string | null }) {
    this.scene = scene;
    this.database = database;
    this.#withheld = withheld;
  }

  /** Ends with its test. */
  static async begin({ onTestFinished }: TestContext): Promise<Scenario> {
    const withheld: { method: string | null } = { method: null };
    const scene = await startReviewed(
      async ({ method, gone }) => {
        if (method === withheld.method) await new Promise((resolve) => gone.addEventListener("abort", resolve));
        return {
          status: 200,
          headers: [["content-type", "application/json"]],
          body: method === "GET" ? '{"id":1,"name":"Checkout latency"}' : '{"deleted_monitor_id":1}',
        };
      },
      { more: "hold: 10m" },
    );
    const database = new Client({ connectionString: scene.database.connectionString });
    await database.connect();
    const scenario = new Scenario(scene, database, withheld);
    onTestFinished(async () => {
      withheld.method = null;
      await scenario.kill();
      await database.end();
      await scene.close();
    });
    await scenario.start();
    return scenario;
  }

  get url(): string {
    return this.#gateway?.url ?? "";
  }

  async start(): Promise<void> {
    this.#gateway = await starts(() => startGatewayProcess(this.scene.file));
    this.scene.deliverTo(this.url);
  }

  async kill(): Promise<void> {
    await this.#gateway?.kill("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Requests of this method to Datadog get no answer from now on; null: all get one. */
  withhold(method: string | null): void {
    this.#withheld.method = method;
  }

  /** A job that wants one monitor deleted, again and again until it has an answer. */
  async newJob() {
    const { scene } = this;
    const opened = await scene.openSession(this.url);
    const id = (this.#monitor += 1);
    return {
      opened,
      /** Null when the connection broke. */
      send: () => deleteMonitor(this.url, opened, id).catch(() => null),
      /** As a client that can hang up. */
      sendUntil: (signal: AbortSignal) =>
        fetch(`${this.url}/api/v1/monitor/${id}`, {
          method: "DELETE",
          headers: { "dd-api-key": opened.access_token },
          signal,
        }).catch(() => null),
      sentToDatadog: () => deletesOf(scene, id),
      asks: async (): Promise<readonly ApprovalJson[]> =>
        (await scene.approvals(this.url)).filter(({ session_id }) => session_id === opened.session_id),
      shown: () => scene.asked(this.url, opened.session_id),
      questions: () =>
        scene.github.comments.in(scene.repository).filter(({ body }) => body.startsWith("<!-- dogwatch:approval:")),
      checks: () => scene.github.checks.in(scene.repository),
      approve: ({ code, id: approval }: ApprovalJson): void => {
        const question = scene.github.comments
          .in(scene.repository)
          .find(({ body }) => body.startsWith(`<!-- dogwatch:approval:${approval} -->`));
        if (question?.kind !== "review_comment") throw new Error("the question is no review comment");
        scene.github.as("mona").reply(question, `/approve ${code}`);
      },
    };
  }
}

/** As long as the test may take. */
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(20);
};

type Job = Awaited<ReturnType<Scenario["newJob"]>>;

const stateIs = async (job: Job, state: ApprovalJson["state"]): Promise<void> => {
  await until(async () => (await job.asks())[0]?.state === state);
};

const endsWell = async (job: Job): Promise<void> => {
  const sent = job.send();
  const asked = await job.shown();
  if (asked.state === "pending") job.approve(asked);
  expect((await sent)?.status).toBe(200);
  expect(job.sentToDatadog()).toBe(1);
  expect(await job.asks()).toHaveLength(1);
  expect(job.questions()).toHaveLength(1);
  expect(job.checks().length).toBeLessThanOrEqual(1);
};

describe.concurrent("a gateway that is killed", { timeout: 240_000 }, () => {
  test("before it asked anybody: nobody was asked, and the request asks when it is sent again", async (context) => {
    const scenario = await Scenario.begin(context);
    const job = await scenario.newJob();
    scenario.withhold("GET");
    const sent = job.send();
    await scenario.scene.upstream.received(1);
    await scenario.restart();
    scenario.withhold(null);
    expect(await sent).toBeNull();
    expect(await job.asks()).toEqual([]);
    await endsWell(job);
  });

  test.for([
    ["pulls/create-review-comment", "the comment"],
    ["checks/create", "the check run"],
  ] as const)(
    "while it asked, and the answer to %s was on its way: it is not written twice",
    async ([operation], context) => {
      const scenario = await Scenario.begin(context);
      const job = await scenario.newJob();
      const released = Promise.withResolvers<void>();
      context.onTestFinished(() => released.resolve());
      scenario.scene.github.faults.next(operation, { kind: "late", until: released.promise });
      const sent = job.send();
      const made = operation === "checks/create" ? job.checks : job.questions;
      await until(() => made().length === 1);
      await scenario.restart();
      released.resolve();
      expect(await sent).toBeNull();
      await endsWell(job);
    },
  );

  test("after asking: an answer that is given while it is down counts", async (context) => {
    const scenario = await Scenario.begin(context);
    const job = await scenario.newJob();
    const sent = job.send();
    const asked = await job.shown();
    await scenario.kill();
    expect(await sent).toBeNull();
    job.approve(asked);
    await scenario.scene.github.deliveries.settled();
    await scenario.start();
    await stateIs(job, "approved");
    expect(job.sentToDatadog()).toBe(0);
    await endsWell(job);
  });

  test("while it looks at an answer: the answer counts", async (context) => {
    const scenario = await Scenario.begin(context);
    const job = await scenario.newJob();
    const sent = job.send();
    const asked = await job.shown();
    const looks = (): number =>
      scenario.scene.github.requests.filter(({ operation }) => operation === "pulls/get-review-comment").length;
    const before = looks();
    scenario.scene.github.faults.next("pulls/get-review-comment", { kind: "silent" });
    job.approve(asked);
    await until(() => looks() > before);
    await scenario.restart();
    expect(await sent).toBeNull();
    await stateIs(job, "approved");
    await endsWell(job);
  });

  test("after the answer: it lets the request pass once it is sent again", async (context) => {
    const scenario = await Scenario.begin(context);
    const job = await scenario.newJob();
    const gone = new AbortController();
    const left = job.sendUntil(gone.signal);
    const asked = await job.shown();
    gone.abort();
    await left;
    job.approve(asked);
    await stateIs(job, "approved");
    await scenario.restart();
    expect(job.sentToDatadog()).toBe(0);
    await endsWell(job);
  });

  test("after it was used, before it was sent: it is never sent, and the next request asks anew", async (context) => {
    const scenario = await Scenario.begin(context);
    const { database } = scenario;
    const job = await scenario.newJob();
    await database.query(lingering);
    const sent = job.send();
    job.approve(await job.shown());
    await until(() => isCommitting(database));
    await scenario.kill();
    expect(await sent).toBeNull();
    await until(async () => (await stateIn(database)) === "consumed");
    await database.query("DROP TRIGGER lingers ON departures");
    await scenario.start();
    await indeterminate(scenario, job);
    expect(job.sentToDatadog()).toBe(0);
    await asksAnew(job);
  });

  test("after it was sent: it is never sent again, and the next request asks anew", async (context) => {
    const scenario = await Scenario.begin(context);
    const job = await scenario.newJob();
    scenario.withhold("DELETE");
    const sent = job.send();
    job.approve(await job.shown());
    await until(() => job.sentToDatadog() === 1);
    await scenario.restart();
    scenario.withhold(null);
    expect(await sent).toBeNull();
    await indeterminate(scenario, job);
    expect(job.sentToDatadog()).toBe(1);
    await asksAnew(job);
  });
});

const indeterminate = async ({ url, scene }: Scenario, { opened }: Job): Promise<void> => {
  const states = async (): Promise<readonly string[]> =>
    (await visit(url, scene.issuer).calls(opened.session_id))
      .filter(({ method }) => method === "DELETE")
      .map(({ state }) => state);
  await until(async () => (await states()).join() === "indeterminate");
};

/** The approval that was used is over: a person is asked again before anything more is sent. */
const asksAnew = async (job: Job): Promise<void> => {
  const already = job.sentToDatadog();
  const sent = job.send();
  await until(async () => (await job.asks()).length === 2);
  const asked = await job.shown();
  expect(asked.state).toBe("pending");
  expect(job.sentToDatadog()).toBe(already);
  await until(() => job.questions().length === 2);
  job.approve(asked);
  expect((await sent)?.status).toBe(200);
  expect(job.sentToDatadog()).toBe(already + 1);
};

/** The commit that uses an approval up takes so long that the gateway can be killed within it; the server ends it all the same. */
const lingering = `
  CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON departures DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION linger();`;

const isCommitting = async (database: Client): Promise<boolean> => {
  const { rowCount } = await database.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'COMMIT' AND wait_event = 'PgSleep'",
  );
  return rowCount === 1;
};

const stateIn = async (database: Client): Promise<string> =>
  (await database.query<{ state: string }>("SELECT state FROM approvals")).rows[0]?.state ?? "";
