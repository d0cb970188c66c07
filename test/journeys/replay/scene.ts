/** A gateway between two sandboxes: one stands for the live Datadog where sessions are recorded, the other is empty, and sessions are replayed to it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Gateway } from "../../../server/app.ts";
import type { ReplayedCallJson, ReplayJson, TokenAnswer } from "../../../server/contract.ts";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { Resolve } from "../../../server/stages/forward/apart.ts";
import { type FreshDatabase, freshDatabase } from "../../standins/database.ts";
import { startIssuer, type TestIssuer } from "../../standins/issuer.ts";
import { startReplicas } from "../../standins/replicas.ts";
import { type Received, send } from "../../standins/send.ts";
import { auditorToken, exchange, type Visit, visit } from "../../standins/world.ts";

export const adminToken = "admin-token-of-the-tests-0123456789";
export const approverToken = "approver-token-of-the-tests-0123456";

export type ReplayScene = Visit & {
  readonly gateway: Gateway;
  readonly file: string;
  readonly issuer: TestIssuer;
  readonly database: FreshDatabase;
  readonly log: readonly string[];
  /** What stands for the live Datadog. */
  readonly live: ListeningSandbox;
  readonly lab: ListeningSandbox;
  /** Opens a session on connection `prod`. */
  open(): Promise<TokenAnswer>;
  /** Sends one call in a session. */
  call(session: TokenAnswer, call: SceneCall): Promise<Received>;
  /** Asks the gateway's API as the admin, or whoever's token it is. */
  ask(method: string, path: string, more?: { readonly body?: object; readonly token?: string }): Promise<Asked>;
  /** Starts one and waits for its end. */
  replay(session: string, options?: object): Promise<ReplayJson>;
  ended(id: string): Promise<ReplayJson>;
  replayed(id: string): Promise<readonly ReplayedCallJson[]>;
  close(): Promise<void>;
};

export type SceneCall = {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: readonly (readonly [string, string])[];
};

// oxlint-disable-next-line typescript/no-explicit-any -- answers are checked by the tests, property by property
export type Asked = { readonly status: number; readonly json: any };

export type SceneOptions = {
  readonly clock?: () => Date;
  /** Of both connections, in place of their sandboxes' addresses. */
  readonly endpoints?: { readonly live?: string; readonly lab?: string };
  readonly resolve?: Resolve;
  readonly rules?: string;
  readonly more?: string;
  /** Of `lab`. */
  readonly allow?: string;
};

export const configurationOf = (
  scene: Readonly<Record<"issuer" | "live" | "lab" | "database" | "dataDir", string>>,
  {
    rules = "    - { name: everything, effect: allow, when: 'connection.kind == \"live\"' }",
    more = "",
    allow,
  }: SceneOptions = {},
): string => `
listen: 127.0.0.1:0
publicUrl: http://gateway.test
dataDir: ${JSON.stringify(scene.dataDir)}
database: ${JSON.stringify(scene.database)}
identity:
  issuers:
    - { name: github, kind: github, issuer: "${scene.issuer}", audience: "http://gateway.test", allow: 'caller.repository_owner_id == "1234"' }
connections:
  - { name: prod, kind: live, site: datadoghq.com, endpoint: "${scene.live}", apiKey: live-api-key-0123456789abcdef, appKey: live-app-key-0123456789abcdef }
  - { name: lab, kind: sandbox, site: datadoghq.eu, endpoint: "${scene.lab}", apiKey: lab-api-key-0123456789abcdef, appKey: lab-app-key-0123456789abcdef${allow === undefined ? "" : `, allow: '${allow}'`} }
access:
  tokens:
    - { name: tests, role: auditor, token: ${auditorToken} }
    - { name: boss, role: admin, token: ${adminToken} }
    - { name: asker, role: approver, token: ${approverToken} }
policy:
  rules:
${rules}
${more}
`;

export async function startReplayScene(options: SceneOptions = {}): Promise<ReplayScene> {
  const clock = options.clock ?? (() => new Date());
  const [live, lab, issuer, database] = await Promise.all([
    createSandbox({ clock }).listen(),
    createSandbox({ clock }).listen(),
    startIssuer(),
    freshDatabase(),
  ]);
  const directory = mkdtempSync(join(tmpdir(), "dogwatch-replay-"));
  const file = join(directory, "dogwatch.yaml");
  const addresses = {
    issuer: issuer.url,
    live: options.endpoints?.live ?? live.url,
    lab: options.endpoints?.lab ?? lab.url,
    dataDir: join(directory, "data"),
    database: database.connectionString,
  };
  writeFileSync(file, configurationOf(addresses, options));
  const log: string[] = [];
  const gateway = await startReplicas({
    file,
    env: {},
    log: pino({ level: "debug" }, { write: (line: string) => log.push(line) }),
    patience: 1_000,
    ...(options.resolve !== undefined && { resolve: options.resolve }),
  });
  const client = clientOf(gateway.url);
  return {
    ...visit(gateway.url, issuer),
    ...client,
    gateway,
    file,
    issuer,
    database,
    log,
    live,
    lab,
    open: async () => openOn(gateway.url, issuer, "prod"),
    close: async () => {
      await gateway.close();
      await Promise.all([live.close(), lab.close(), issuer.close(), database.drop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const openOn = async (url: string, issuer: TestIssuer, connection: string): Promise<TokenAnswer> =>
  exchange(
    url,
    await issuer.sign({ ...(await import("../../standins/issuer.ts")).githubClaims, aud: "http://gateway.test" }),
    { connection },
  );

/** What tests ask of a gateway with replays, wherever it runs. */
export const clientOf = (url: string): Pick<ReplayScene, "call" | "ask" | "replay" | "ended" | "replayed"> => {
  const ask: ReplayScene["ask"] = async (method, path, { body, token = adminToken } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  };
  const ended = async (id: string): Promise<ReplayJson> => {
    for (;;) {
      const { json } = await ask("GET", `/v1/replays/${id}`);
      if (json.state !== "running" && json.cleanup?.state !== "running") return json;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    ask,
    ended,
    call: (session, { method, path, body, headers = [] }) => {
      const bytes = body === undefined ? null : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
      return send(url, {
        method: method ?? (bytes === null ? "GET" : "POST"),
        target: path,
        headers: [
          ["DD-API-KEY", session.access_token],
          ...(bytes === null ? [] : ([["Content-Type", "application/json"]] as const)),
          ...headers,
        ],
        ...(bytes === null ? {} : { body: bytes }),
      });
    },
    replay: async (session, options = {}) => {
      const { status, json } = await ask("POST", `/v1/sessions/${session}/replays`, {
        body: { connection: "lab", ...options },
      });
      if (status !== 201) throw new Error(`no replay: ${status} ${JSON.stringify(json)}`);
      return ended(json.id);
    },
    replayed: async (id) => {
      const all: ReplayedCallJson[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const { json } = await ask(
          "GET",
          `/v1/replays/${id}/calls?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`,
        );
        all.push(...json.items);
        cursor = json.next_cursor;
      }
      return all;
    },
  };
};
