/** The gateway's API on a loopback port, with a test issuer and a database of its own, for the tests of this folder. */

import { randomBytes } from "node:crypto";
import Fastify from "fastify";
import { readHidden } from "../../server/journeys/undo/hidden.ts";
import { buildCatalogue } from "../../server/datadog/catalogue.ts";
import { registerApi } from "../../server/http/api.ts";
import { stopServing, watchConnections } from "../../server/http/stop.ts";
import { buildFamilies } from "../../server/stages/mask/place/family.ts";
import { compileMasks } from "../../server/stages/mask/plan.ts";
import { readResources } from "../../server/journeys/replay/resources.ts";
import { Works } from "../../server/journeys/replay/works.ts";
import type { OfferedConnection } from "../../server/journeys/token.ts";
import type { SignKeys } from "../../server/journeys/seal/grow.ts";
import type { Sealer } from "../../server/journeys/seal/sealer.ts";
import type { AuditEvent } from "../../server/model/audit.ts";
import type { AccessToken, Issuer } from "../../server/model/config.ts";
import { Secret } from "../../server/model/connection.ts";
import { trustIssuer, type Allowance } from "../../server/stages/authenticate/identify.ts";
import { createPresenter } from "../../server/stages/authenticate/present.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { freshDatabase, type FreshDatabase, quietLog } from "../standins/database.ts";
import { githubClaims, startIssuer, type TestClaims, type TestIssuer } from "../standins/issuer.ts";
import { newSealer, newSignKeys } from "../standins/sealing.ts";
import { keyLine, keysOf } from "../stages/mask/setting.ts";

export const audience = "https://dogwatch.example.com";
export const accessTokens = {
  auditor: `auditor-${randomBytes(24).toString("hex")}`,
  admin: `admin-${randomBytes(24).toString("hex")}`,
  viewer: `viewer-${randomBytes(24).toString("hex")}`,
  approver: `approver-${randomBytes(24).toString("hex")}`,
} as const;

export type TestGateway = {
  readonly url: string;
  readonly issuer: TestIssuer;
  readonly store: Store;
  readonly database: FreshDatabase;
  /** What went to the audit log, in order; emptied by the tests. */
  readonly events: AuditEvent[];
  readonly connections: OfferedConnection[];
  readonly clock: { now: number };
  readonly signKeys: SignKeys;
  readonly sealer: Sealer;
  /** An identity token of a push to acme/app for this gateway. */
  identity(claims?: TestClaims): Promise<string>;
  exchange(form: Readonly<Record<string, string>>): Promise<Answer>;
  /** Opens a session; the answer's JSON. */
  open(claims?: TestClaims): Promise<Record<string, string>>;
  get(path: string, token?: string): Promise<Answer>;
  post(path: string, token?: string): Promise<Answer>;
  /** Takes the database away, for good. */
  loseDatabase(): Promise<void>;
  close(): Promise<void>;
};

// oxlint-disable-next-line typescript/no-explicit-any -- answers are checked by the tests, property by property
export type Answer = { readonly status: number; readonly headers: Headers; readonly json: any; readonly text: string };

const nothingSeen = async () => ({ items: [], next_cursor: null });

const acmeOnly: Allowance = (caller) =>
  caller["repository_owner_id"] === "1234" && caller["repository_id"] === "70" ? true : { reason: "is false" };

export const startGateway = async (perMinute = { token: 100_000, all: 100_000 }): Promise<TestGateway> => {
  const clock = { now: Date.parse("2026-05-04T03:02:01.000Z") };
  const now = (): Date => new Date(clock.now);
  const issuer = await startIssuer(now);
  const database = await freshDatabase();
  let dropped: Promise<void> | null = null;
  const loseDatabase = (): Promise<void> => (dropped ??= database.drop());
  const store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: now });
  const events: AuditEvent[] = [];
  const audit = (event: AuditEvent): void => {
    events.push(event);
    store.audit.append(event);
  };
  const github: Issuer = {
    name: "github",
    issuer: issuer.url,
    audience,
    allow: "",
    events: [],
    algorithms: ["RS256"],
    kind: "github",
  };
  const trusted = [trustIssuer(github, acmeOnly, { fetch, clock: now })];
  const connections: OfferedConnection[] = [{ name: "prod", site: "datadoghq.com" }];
  const presenter = createPresenter(store.sessions, now);
  const tokens: AccessToken[] = (["auditor", "admin", "viewer", "approver"] as const).map((role) => ({
    name: `ops-${role}`,
    role,
    token: new Secret(accessTokens[role]),
  }));

  const catalogue = buildCatalogue();
  const signKeys = newSignKeys();
  const sealer = newSealer({ store, keys: signKeys, now });
  await sealer.round();
  const app = Fastify();
  await registerApi(app, {
    version: "0.0.0",
    publicUrl: audience,
    perMinute,
    token: {
      trusted: () => trusted,
      connections: () => connections,
      hostsOf: (site) => [`api.${site}`, `http-intake.logs.${site}`],
      sessions: store.sessions,
      audit,
      now,
      chance: randomBytes,
      lifetime: 900_000,
    },
    recordings: {
      present: presenter.presentEnded,
      accessTokens: () => tokens,
      signedIn: async (request) =>
        request.headers.cookie === "signed-in" ? { kind: "access", name: "ops-auditor", role: "auditor" } : null,
      sessions: store.sessions,
      receipts: store.receipts,
      outlines: store.outlines,
      auditLog: store.audit,
      maskKeys: keysOf(keyLine("k")),
      seal: (id) => sealer.seal(id),
      seals: store.seals,
      sealLog: store.log,
      signKeys,
      bodies: store.bodies,
      callSearch: store.callSearch,
      following: store.following,
      monotonic: () => performance.now(),
      tryText: async () => ({ kind: "busy", why: "gateway" }),
      keepsReceipts: () => 400 * 86_400_000,
      now,
      auditFirst: async (event) => {
        events.push(event);
        await store.audit.write(event);
      },
      visible: {
        sees: async () => false,
        seesLately: async () => false,
        seenOf: async () => [],
        list: async () => ({ items: [], next_cursor: null }),
        scope: async () => [],
      },
      isOurForm: (request, token) => request.headers.cookie === "signed-in" && token === "form-of-signed-in",
      formToken: (request) => (request.headers.cookie === "signed-in" ? "form-of-signed-in" : null),
      policies: store.policies,
      approvals: {
        store: store.approvals,
        sessions: store.sessions,
        directory: null,
        issues: false,
        key: randomBytes(32),
        publicUrl: audience,
        show: () => undefined,
        audit,
        auditFirst: (event) => store.audit.write(event),
        log: quietLog,
        now,
        chance: randomBytes,
        watch: (id) => store.approvals.get(id),
        repositories: { mayRead: async () => false, mayReadLately: async () => false },
        scope: async () => [],
      },
      person: async () => null,
      audit,
      replaying: {
        sessions: store.sessions,
        receipts: store.receipts,
        auditLog: store.audit,
        visible: {
          sees: async () => false,
          seesLately: async () => false,
          seenOf: async () => [],
          list: nothingSeen,
          scope: async () => [],
        },
        auditFirst: async (event) => {
          events.push(event);
          await store.audit.write(event);
        },
        connections: () => connections.map((connection) => ({ ...connection, kind: "live" as const })),
        connection: () => undefined,
        apart: { resolve: async () => [], live: () => [], here: () => [] },
        seal: (id) => sealer.seal(id),
        audit,
        now,
        monotonic: () => performance.now(),
        chance: randomBytes,
        lifetime: 900_000,
        following: store.following,
        bodies: store.bodies,
        replays: store.replays,
        catalogue,
        resources: readResources(catalogue),
        volatile: () => new Map(),
        masks: () => ({
          masks: compileMasks([]),
          keys: keysOf(keyLine("k")),
          families: buildFamilies(catalogue.entries),
          undecodable: "digest",
        }),
        works: new Works(),
        line: () => () => Promise.reject(new Error("this gateway has no data plane")),
      },
      undoing: {
        sessions: store.sessions,
        receipts: store.receipts,
        auditLog: store.audit,
        visible: {
          sees: async () => false,
          seesLately: async () => false,
          seenOf: async () => [],
          list: nothingSeen,
          scope: async () => [],
        },
        auditFirst: async (event) => {
          events.push(event);
          await store.audit.write(event);
        },
        connections: () => connections.map((connection) => ({ ...connection, kind: "live" as const })),
        seal: (id) => sealer.seal(id),
        audit,
        now,
        monotonic: () => performance.now(),
        chance: randomBytes,
        lifetime: 900_000,
        catalogue: buildCatalogue(),
        undos: store.undos,
        publicUrl: audience,
        approvals: { store: store.approvals },
        hidden: () => readHidden(keysOf(keyLine("k")), compileMasks([])),
        mayWrite: async () => false,
        line: () => () => Promise.reject(new Error("this gateway has no data plane")),
      },
    },
  });
  watchConnections(app.server);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });

  const identity = (claims: TestClaims = {}): Promise<string> =>
    issuer.sign({ ...githubClaims, aud: audience, ...claims });
  const send = async (path: string, init: RequestInit, token?: string): Promise<Answer> => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(`${url}${path}`, { ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
  };
  const exchange = (form: Readonly<Record<string, string>>): Promise<Answer> =>
    send("/v1/token", { method: "POST", body: new URLSearchParams({ ...exchangeForm, ...form }) });

  return {
    url,
    issuer,
    store,
    database,
    loseDatabase,
    events,
    connections,
    clock,
    signKeys,
    sealer,
    identity,
    exchange,
    open: async (claims) => {
      const answer = await exchange({ subject_token: await identity(claims) });
      if (answer.status !== 200) throw new Error(`no session: ${answer.text}`);
      return answer.json;
    },
    get: (path, token) => send(path, {}, token),
    post: (path, token) => send(path, { method: "POST" }, token),
    close: async () => {
      await stopServing(app, { patience: 5_000, breakOff: async () => undefined });
      await issuer.close();
      await store.close();
      await loseDatabase();
    },
  };
};

export const exchangeForm = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
} as const;
