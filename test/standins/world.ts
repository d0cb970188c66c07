/** A gateway of its own for a test file, between a recording upstream and an issuer that signs whatever it is told. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Gateway, GatewayOptions } from "../../server/app.ts";
import { startReplicas } from "./replicas.ts";
import type { CallJson, SessionJson, TokenAnswer } from "../../server/contract.ts";
import { type FreshDatabase, freshDatabase } from "./database.ts";
import { type TestClaims, type TestIssuer, githubClaims, startIssuer } from "./issuer.ts";
import { type Answerer, type Upstream, type UpstreamOptions, startUpstream } from "./upstream.ts";

export const realKeys = { api: "real-api-key-0123456789abcdef0123", app: "real-app-key-0123456789abcdef0123456789ab" };
export const auditorToken = "auditor-token-of-the-tests-0123456789";

export type WorldOptions = {
  /** Lines of `policy.rules` in YAML; default: everything is allowed. */
  readonly rules?: string;
  /** More top level keys of dogwatch.yaml. */
  readonly more?: string;
  readonly upstream?: UpstreamOptions;
  /** A database of its own in place of a fresh one of the run's. */
  readonly database?: FreshDatabase;
  /** What may wait for the database. */
  readonly mostWaiting?: GatewayOptions["mostWaiting"];
  /** How long a gateway that is closed waits for the calls in flight, ms. */
  readonly patience?: number;
  /** `access.tokens` in YAML; default: one auditor. */
  readonly tokens?: string;
  /** Puts something between the gateway and its database. */
  readonly databaseThrough?: (connectionString: string) => Promise<string>;
  /** More items of `connections` in YAML. */
  readonly connections?: string;
  /** In place of the test issuer and the recording upstream. */
  readonly instead?: { readonly issuer?: string; readonly endpoint?: string };
};

export type World = Visit & {
  readonly upstream: Upstream;
  readonly issuer: TestIssuer;
  readonly gateway: Gateway;
  readonly file: string;
  readonly database: FreshDatabase;
  /** Everything the gateway logged. */
  readonly log: readonly string[];
  close(): Promise<void>;
};

type Addresses = Readonly<Record<"issuer" | "upstream" | "database" | "dataDir", string>>;

export const allowEverything = "    - { name: everything, effect: allow, when: 'true' }";

export const configurationOf = (
  scene: Addresses & Pick<WorldOptions, "rules" | "more" | "tokens" | "connections">,
): string => `
listen: 127.0.0.1:0
publicUrl: http://gateway.test
dataDir: ${JSON.stringify(scene.dataDir)}
database: ${JSON.stringify(scene.database)}
identity:
  issuers:
    - { name: github, kind: github, issuer: "${scene.issuer}", audience: "http://gateway.test", allow: 'caller.repository_owner_id == "1234"' }
connections:
  - { name: prod, kind: live, site: datadoghq.com, endpoint: "${scene.upstream}", apiKey: ${realKeys.api}, appKey: ${realKeys.app} }
${scene.connections ?? ""}
access:
  tokens: ${scene.tokens ?? `[{ name: tests, role: auditor, token: ${auditorToken} }]`}
policy:
  rules:
${scene.rules ?? allowEverything}
${scene.more ?? ""}
`;

/** Everything around a gateway that a test starts itself. */
export type Scene = {
  readonly upstream: Upstream;
  readonly issuer: TestIssuer;
  readonly file: string;
  readonly database: FreshDatabase;
  close(): Promise<void>;
};

export async function startScene(answer: Answerer, options: WorldOptions = {}): Promise<Scene> {
  const [upstream, issuer, database] = await Promise.all([
    startUpstream(answer, options.upstream),
    startIssuer(),
    options.database ?? freshDatabase(),
  ]);
  const directory = mkdtempSync(join(tmpdir(), "dogwatch-world-"));
  const file = join(directory, "dogwatch.yaml");
  const addresses = {
    issuer: options.instead?.issuer ?? issuer.url,
    upstream: options.instead?.endpoint ?? upstream.url,
    dataDir: join(directory, "data"),
    database: (await options.databaseThrough?.(database.connectionString)) ?? database.connectionString,
  };
  writeFileSync(file, configurationOf({ ...options, ...addresses }));
  return {
    upstream,
    issuer,
    file,
    database,
    close: async () => {
      await Promise.all([upstream.close(), issuer.close(), database.drop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function startWorld(answer: Answerer, options: WorldOptions = {}): Promise<World> {
  const scene = await startScene(answer, options);
  const log: string[] = [];
  const gateway = await startReplicas({
    file: scene.file,
    env: {},
    log: pino({ level: "debug" }, { write: (line) => log.push(line) }),
    patience: options.patience ?? 1_000,
    ...(options.mostWaiting === undefined ? {} : { mostWaiting: options.mostWaiting }),
  });
  return {
    ...visit(gateway.url, scene.issuer),
    upstream: scene.upstream,
    issuer: scene.issuer,
    gateway,
    file: scene.file,
    database: scene.database,
    log,
    close: async () => {
      await gateway.close();
      await scene.close();
    },
  };
}

/** What tests ask of a running gateway, wherever it runs. */
export type Visit = {
  readonly url: string;
  openSession(claims?: TestClaims): Promise<TokenAnswer>;
  /** As the auditor sees it. */
  read(path: string): Promise<Response>;
  session(id: string): Promise<SessionJson>;
  calls(id: string): Promise<readonly CallJson[]>;
  /** Its calls, once none of them is open any more. */
  endedCalls(id: string): Promise<readonly CallJson[]>;
  audit(): Promise<readonly AuditJson[]>;
  /** The newest event, once it is there, whose kind, subject and reason match: events are written a moment after what they tell of. */
  audited(pattern: RegExp): Promise<AuditJson>;
};

type AuditJson = { readonly kind: string; readonly who: string; readonly what: string; readonly reason: string };

export function visit(url: string, issuer: TestIssuer): Visit {
  const read = (path: string): Promise<Response> =>
    fetch(url + path, { headers: { authorization: `Bearer ${auditorToken}` } });
  const json = async <T>(path: string): Promise<T> => {
    const response = await read(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const calls = async (id: string): Promise<readonly CallJson[]> => {
    const all: CallJson[] = [];
    let path: string | null = `/v1/sessions/${id}/calls?limit=200`;
    while (path !== null) {
      const page: { items: CallJson[]; next_cursor: string | null } = await json(path);
      all.push(...page.items);
      const next = page.next_cursor;
      path = next === null ? null : `/v1/sessions/${id}/calls?limit=200&cursor=${encodeURIComponent(next)}`;
    }
    return all;
  };
  const audit = async (): Promise<readonly AuditJson[]> =>
    (await json<{ items: AuditJson[] }>("/v1/audit?limit=200")).items;
  return {
    url,
    read,
    openSession: async (claims = {}) =>
      exchange(url, await issuer.sign({ ...githubClaims, aud: "http://gateway.test", ...claims })),
    session: (id) => json(`/v1/sessions/${id}`),
    calls,
    endedCalls: async (id) => {
      for (;;) {
        const all = await calls(id).catch(unlessAway);
        if (all?.every(({ state }) => state !== "open") === true) return all;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    audit,
    audited: async (pattern) => {
      for (;;) {
        const event = (await audit().catch(unlessAway))?.find(({ kind, what, reason }) =>
          pattern.test(`${kind} ${what} ${reason}`),
        );
        if (event !== undefined) return event;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** Where something is waited for, a database that was away a moment ago may still be. */
const unlessAway = (error: unknown): null => {
  if (error instanceof Error && /: 503 /.test(error.message)) return null;
  throw error;
};

/** RFC 8693 token exchange. */
export async function exchange(
  url: string,
  subject_token: string,
  more: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  const response = await fetch(`${url}/v1/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token,
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      ...more,
    }),
  });
  if (response.status !== 200) throw new Error(`token exchange: ${response.status} ${await response.text()}`);
  return (await response.json()) as TokenAnswer;
}
