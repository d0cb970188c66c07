/** Builds a gateway and joins its parts: the only place that knows all of them. */

import { randomBytes } from "node:crypto";
import cookie from "@fastify/cookie";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import manifest from "../package.json" with { type: "json" };
import { type Approvals, joinApprovals } from "./approvals.ts";
import { type Environment, formatProblem } from "./config/load.ts";
import { watchConfig } from "./config/watch.ts";
import { type Catalogue, buildCatalogue } from "./datadog/catalogue.ts";
import { hostsOf } from "./datadog/hosts.ts";
import { joinErrands } from "./errands.ts";
import { registerApi } from "./http/api.ts";
import { registerHealth } from "./http/health.ts";
import { type Metrics, createMetrics } from "./http/metrics.ts";
import { registerPages } from "./http/pages.ts";
import { InFlight } from "./http/inFlight.ts";
import { createOwnLine } from "./http/ownLine.ts";
import { registerWebhooks } from "./http/webhooks.ts";
import { createGatewayServer } from "./http/server.ts";
import { type SignIn, createSignIn } from "./http/signIn.ts";
import { stopServing } from "./http/stop.ts";
import { passCall } from "./journeys/call.ts";
import type { CallParts, Incoming } from "./journeys/call/parts.ts";
import { Works } from "./journeys/replay/works.ts";
import { createVisibleSessions } from "./journeys/visible.ts";
import type { OwnConnection } from "./journeys/ownSession.ts";
import type { AuditEvent } from "./model/audit.ts";
import type { AccessToken, Config, Problem } from "./model/config.ts";
import { type Rulebook, findingsIn, readRulebook } from "./rulebook.ts";
import type { Sealer } from "./journeys/seal/sealer.ts";
import type { SignKeys } from "./journeys/seal/grow.ts";
import { openMaskKeys } from "./maskKeys.ts";
import { openSignKeys } from "./signKeys.ts";
import { joinSealer, keepUp } from "./upkeep.ts";
import { Rules, keptOf } from "./rules.ts";
import { type Presenter, createPresenter } from "./stages/authenticate/present.ts";
import { createBudget } from "./stages/decide/budget.ts";
import { hideIn } from "./stages/mask/beside.ts";
import type { MaskSet } from "./stages/mask/masking.ts";
import { buildFamilies } from "./stages/mask/place/family.ts";
import type { MaskKeys } from "./stages/mask/token/keys.ts";
import { addressesHere, type Apart, resolveHere, type Resolve } from "./stages/forward/apart.ts";
import { createTidy } from "./stages/forward/tidy.ts";
import { originsOf, Upstreams } from "./stages/forward/upstream.ts";
import { breakOff } from "./stages/reply/end.ts";
import { joinSetup } from "./setup.ts";
import { PolicyTrials, type PolicyTrialsOptions } from "./tryPolicy.ts";
import { createProviders } from "./signIn.ts";
import { type Store, type StoreOptions, openStore } from "./store/database.ts";
import { startEmbedded } from "./store/embedded.ts";

export type GatewayOptions = {
  readonly file: string;
  readonly env: Environment;
  readonly log: FastifyBaseLogger;
  /** How long calls in flight may go on after `close` is called, ms; default 20 seconds, less than an orchestrator waits before it kills. */
  readonly patience?: number;
  /** How names become addresses; default: as this machine does it. */
  readonly resolve?: Resolve;
  /** What may wait for the database before callers are told `gateway_busy`. */
  readonly mostWaiting?: StoreOptions["mostWaiting"];
  /** How long a trial of an edited policy may take. */
  readonly trialPatience?: PolicyTrialsOptions["patience"];
};

export type Gateway = {
  /** Where it listens, `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly config: Config;
  /** A path that signs in as the holder of this access token, once. */
  invite(tokenName: string, to: string): string;
  /** Takes no new call, finishes those in flight, then stops; bounded by `patience`. */
  close(): Promise<void>;
};

/** The configuration cannot be used; everything that is wrong with it is listed. */
export class ConfigurationRefused extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.name = "ConfigurationRefused";
    this.problems = problems;
  }
}

const { version } = manifest;

/** Session tokens live this long and are renewed before; sessions in which nothing happens are closed after as long. */
const lifetime = 15 * 60_000;
/** Calls that were broken off still have their receipts closed, ms. */
const lastWords = 3_000;
/** All bodies that are held for rules at the same time, bytes. */
const inspectionMemory = 256 * 1024 * 1024;

/** @throws ConfigurationRefused, and what keeps the database from starting. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { file, env, log } = options;
  const catalogue = buildCatalogue();
  const first = readRulebook(file, env, catalogue);
  if (Array.isArray(first)) throw new ConfigurationRefused(first);
  for (const notice of first.config.notices) log.warn(formatProblem(notice));

  const running: Undo[] = [];
  try {
    return await bringUp(options, { catalogue, first, running });
  } catch (error) {
    // What went wrong first is what has to be said.
    await undoAll(running).catch(() => undefined);
    throw error;
  }
}

/** Ends one thing that was started. */
type Undo = () => Promise<unknown>;

type Beginning = { readonly catalogue: Catalogue; readonly first: Rulebook; readonly running: Undo[] };

/** A start that fails leaves nothing running: whatever is up is noted in `running`. */
async function bringUp(options: GatewayOptions, { catalogue, first, running }: Beginning): Promise<Gateway> {
  const { file, env, log, patience = 20_000 } = options;
  const embedded =
    first.config.database === undefined ? await startEmbedded({ dataDir: first.config.dataDir, log }) : null;
  if (embedded !== null) running.push(() => embedded.stop());
  const connectionString = embedded?.connectionString ?? first.config.database?.reveal() ?? "";
  const store = await openStore({
    connectionString,
    log,
    clock: () => new Date(),
    mostWaiting: options.mostWaiting,
  });
  running.push(() => store.close());
  store.indexer.start();
  await store.policies.keep(keptOf(first.policy));
  const rules = new Rules(first, { log, store, catalogue });
  running.push(async () => rules.stop());
  const upstreams = new Upstreams();
  running.push(() => upstreams.close());
  const calls = new InFlight();
  running.push(() => calls.ended(lastWords));
  const approvals = await joinApprovals({ config: first.config, store, log, hold: () => rules.current.config.hold });
  running.push(() => approvals.close());
  const maskKeys = openMaskKeys(first.config);
  const signKeys = openSignKeys(first.config, await store.log.checkpoint());
  const sealer = joinSealer({ store, log, signKeys, dataDir: first.config.dataDir });
  running.push(() => sealer.stop());
  const { resolve = resolveHere } = options;
  const works = new Works();
  const policyTrials = new PolicyTrials({
    config: () => rules.current.config,
    connectionString,
    patience: options.trialPatience,
  });
  const joined: Joined = {
    store,
    rules,
    upstreams,
    calls,
    catalogue,
    log,
    approvals,
    env,
    maskKeys,
    masks: maskSets({ rules, catalogue, maskKeys }),
    apart: apartFrom(rules, resolve),
    signKeys,
    sealer,
    policyTrials,
    works,
  };
  const { app, signIn } = await joinSurfaces(joined);
  running.push(() => stopServing(app, { patience, breakOff: () => upstreams.close() }));
  running.push(async () => {
    calls.stop();
    approvals.stop();
    policyTrials.stop();
  });
  // What the gateway itself sends ends before it takes nothing any more.
  running.push(() => works.stop());
  const url = await app.listen(first.config.listen);
  log.info({ url, publicUrl: first.config.publicUrl }, "listening");
  log.info({ key: signKeys.signers[0].vkey }, "seals are signed with this key: hand it to whoever verifies recordings");

  const watch = watchConfig({ file, env, examine: (config) => findingsIn(config, catalogue) }, rules);
  running.push(async () => watch.stop());
  const upkeep = keepUp({ store, sealer, log, lifetime, retention: () => rules.current.config.retention });
  running.push(async () => upkeep.stop());
  return {
    url,
    config: first.config,
    invite: (name, to) => signIn.invite(name, to),
    close: () => undoAll(running),
  };
}

/** The last first. */
async function undoAll(running: Undo[]): Promise<void> {
  for (let undo = running.pop(); undo !== undefined; undo = running.pop()) await undo();
}

type Joined = {
  readonly store: Store;
  readonly rules: Rules;
  readonly upstreams: Upstreams;
  readonly calls: InFlight;
  readonly catalogue: Catalogue;
  readonly log: FastifyBaseLogger;
  readonly approvals: Approvals;
  readonly env: Environment;
  readonly maskKeys: MaskKeys;
  readonly masks: () => MaskSet;
  readonly apart: Apart;
  readonly signKeys: SignKeys;
  readonly sealer: Sealer;
  readonly policyTrials: PolicyTrials;
  readonly works: Works;
};

async function joinSurfaces(joined: Joined): Promise<{ app: FastifyInstance; signIn: SignIn }> {
  const { store, rules, calls, log, approvals, env, maskKeys, signKeys, sealer, policyTrials } = joined;
  const { publicUrl } = rules.current.config;
  const audit = (event: AuditEvent): void => store.audit.append(event);
  const now = (): Date => new Date();
  const presenter = createPresenter(store.sessions, now);
  const metrics = createMetrics(
    () => calls.size,
    () => sealer.health,
  );
  const parts = callParts(joined, { presenter, metrics });

  const app = createGatewayServer({
    log,
    dataHosts: () => rules.current.config.dataHosts,
    hide: (text) => hideIn(rules.masks, text),
    audit,
    passCall: (request, response, target) => calls.add(carry(parts, { request, response, ...target }, log)),
    stopping: () => calls.stopping,
  });
  await app.register(cookie);
  const accessTokens = (): readonly AccessToken[] => rules.current.config.access.tokens;
  const { github } = rules.current.config;
  const monotonic = (): number => performance.now();
  const signIn = createSignIn({
    publicUrl,
    tokens: accessTokens,
    now,
    audit,
    chance: randomBytes,
    people: store.people,
    providers: createProviders(
      { github: approvals.github, source: github, log, fetch, monotonic },
      () => rules.current.config,
    ),
  });
  const history = {
    sessions: store.sessions,
    receipts: store.receipts,
    outlines: store.outlines,
    auditLog: store.audit,
    policies: store.policies,
    tryText: policyTrials.tryText,
    now,
    auditFirst: (event: AuditEvent) => store.audit.write(event),
    visible: createVisibleSessions({
      sessions: store.sessions,
      access: approvals.answering.repositories,
      apiUrl: github?.apiUrl ?? null,
    }),
  };
  const line = (): ReturnType<typeof createOwnLine> => createOwnLine(app.server);
  const { replaying, undoing } = joinErrands({
    ...joined,
    history,
    connections: () => offered(rules.current),
    seal: (id) => sealer.seal(id),
    lifetime,
    line,
  });
  await registerApi(app, {
    version,
    publicUrl,
    token: {
      trusted: () => rules.trusted,
      connections: () => offered(rules.current),
      hostsOf,
      sessions: store.sessions,
      audit,
      now,
      chance: randomBytes,
      lifetime,
    },
    recordings: {
      ...history,
      maskKeys,
      seal: (id) => sealer.seal(id),
      seals: store.seals,
      sealLog: store.log,
      signKeys,
      bodies: store.bodies,
      callSearch: store.callSearch,
      following: store.following,
      monotonic,
      keepsReceipts: () => shortestReceipts(rules.current.config),
      audit,
      approvals: approvals.answering,
      present: presenter.presentEnded,
      accessTokens,
      signedIn: async (request) => (await signIn.viewer(request))?.reader ?? null,
      person: (request) => signIn.person(request),
      replaying,
      undoing,
      formToken: (request) => signIn.cookies.formToken(request),
      isOurForm: (request, token) => signIn.cookies.isOurForm(request, token),
    },
  });
  await app.register(async (scope) =>
    registerPages(scope, {
      history,
      search: { ...history, maskKeys, callSearch: store.callSearch, now },
      signIn,
      publicUrl,
      policyInForce: () => rules.current.policy.digest,
      approvals: approvals.answering,
      replaying,
      undoing,
      setup: joinSetup({ config: () => rules.current.config, env, store, log, audit }),
    }),
  );
  const { deliveries } = approvals;
  if (deliveries !== null) await app.register(async (scope) => registerWebhooks(scope, { ...deliveries, audit }));
  registerHealth(app, { ready: () => readiness(store), registry: metrics.registry });
  return { app, signIn };
}

/** Of a session that is gone nobody knows the connection any more. */
const shortestReceipts = ({ retention: { receipts, connections } }: Config): number =>
  Math.min(receipts, ...connections.map((own) => own.receipts));

const callParts = (
  { store, rules, upstreams, catalogue, approvals, log, masks, apart }: Joined,
  { presenter, metrics }: { readonly presenter: Presenter; readonly metrics: Metrics },
): CallParts => ({
  present: presenter.present,
  connection: (name) => rules.current.connections.get(name),
  policy: () => rules.current.policy,
  masks,
  take: (session_id, allowance) => store.limits.take(session_id, allowance),
  catalogue,
  sink: store.sink,
  approving: approvals.approving,
  log,
  openSpill: (session_id) => store.bodies.spill(session_id),
  audit: (event) => store.audit.append(event),
  upstreams,
  apart,
  tidy: createTidy(),
  budget: createBudget(inspectionMemory),
  limits: () => rules.current.config.limits,
  publicUrl: rules.current.config.publicUrl,
  now: () => new Date(),
  monotonic: () => performance.now(),
  observe: metrics.observe,
});

const apartFrom = (rules: Rules, resolve: Resolve): Apart => ({
  resolve,
  live: () => liveOrigins(rules.current),
  here: addressesHere,
});

const liveOrigins = ({ connections }: Rulebook): readonly string[] =>
  [...connections.values()].filter(({ kind }) => kind === "live").flatMap(originsOf);

/** The masks in force; the keys stay as they are until a restart. */
function maskSets({ rules, catalogue, maskKeys }: Pick<Joined, "rules" | "catalogue" | "maskKeys">): () => MaskSet {
  const families = buildFamilies(catalogue.entries);
  return () => {
    const { undecodable } = rules.current.config.policy;
    return { masks: rules.masks, keys: maskKeys, families, undecodable };
  };
}

/** A call never takes the process down: what nobody foresaw ends its connection, so that no half answer passes for a whole one. */
async function carry(parts: CallParts, incoming: Incoming, log: FastifyBaseLogger): Promise<void> {
  try {
    await passCall(parts, incoming);
  } catch (error) {
    log.error({ err: error }, "a call ended in a way nobody foresaw");
    if (!incoming.response.writableEnded) breakOff(incoming.response);
  }
}

const offered = ({ connections, connectionAllow }: Rulebook): readonly OwnConnection[] =>
  [...connections.values()].map(({ name, site, kind }) => {
    const allow = connectionAllow.get(name);
    return allow === undefined ? { name, site, kind } : { name, site, kind, allow: allow.evaluate };
  });

/** A gateway whose records cannot be written takes no calls: load balancers send them elsewhere. */
const readiness = (store: Store): string | null =>
  performance.now() - store.sink.lastCommitAt() < 3_000
    ? null
    : "the database has not taken a record for three seconds, or too many wait for it";
