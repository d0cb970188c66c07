/** The store of one gateway: opened once, it migrates, keeps its connections alive and speaks for gateways that are gone. */

import { GatewayError } from "../errors.ts";
import type { Log } from "../model/log.ts";
import { Trouble, type TroubleParts } from "../model/trouble.ts";
import { type Audit, createAudit } from "./audit.ts";
import { type Bodies, createBodies } from "./bodies.ts";
import { type Approvals, createApprovals } from "./approvals.ts";
import { openAhead, Salts } from "./epochs.ts";
import { listenToAll } from "./listen.ts";
import { createFollowing, type Following } from "./following.ts";
import { createLimits, type Limits } from "./limits.ts";
import { createSealLog, type SealLog } from "./log.ts";
import { migrate } from "./migrate.ts";
import { createPeople, type People } from "./people.ts";
import { createPolicies, type Policies } from "./policies.ts";
import { createOutlines, type Outlines } from "./outline.ts";
import { createReceipts, type Receipts } from "./receipts.ts";
import { Recovery, sweep } from "./recover.ts";
import { retain, type Retention } from "./retention.ts";
import { createReplays, type Replays } from "./replays.ts";
import { openRows, type Rows } from "./rows.ts";
import { createSeals, type Seals } from "./seals.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createUndos, type Undos } from "./undos.ts";
import { type CallSearch, createCallSearch } from "./search/find.ts";
import { Indexer } from "./search/indexer.ts";
import { openSink, type Sink, type SinkParts } from "./sink.ts";

export type Store = {
  readonly sessions: Sessions & {
    /** Calls back with every session that stops being open, whichever gateway ended it. */
    onClosed(callback: (session_id: string) => void): void;
  };
  readonly approvals: Approvals & {
    /** Calls back with every approval that is asked or changes its state, at whichever gateway; with null when some may have been missed. */
    onChanged(callback: (id: string | null) => void): () => void;
  };
  readonly receipts: Receipts;
  readonly outlines: Outlines;
  readonly bodies: Bodies;
  readonly audit: Audit;
  readonly policies: Policies;
  readonly people: People;
  readonly limits: Limits;
  readonly undos: Undos;
  readonly replays: Replays;
  readonly seals: Seals;
  readonly log: SealLog;
  readonly sink: Sink;
  readonly following: Following;
  readonly callSearch: CallSearch;
  /** Feeds what `callSearch` looks in; does nothing before it is started. */
  readonly indexer: Indexer;
  /** Closes calls of gateways that are gone as `indeterminate`; runs every second by itself. */
  recover(): Promise<number>;
  /** Lets go of bodies and receipts that are older; whoever knows the configuration calls it now and then. */
  retain(retention: Retention): Promise<void>;
  /** Writes what is waiting, then hangs up. */
  close(): Promise<void>;
};

export type StoreOptions = {
  readonly connectionString: string;
  readonly log: Log;
  readonly clock: () => Date;
  readonly mostWaiting?: SinkParts["mostWaiting"];
};

const recoverEvery = 1_000;
const sweepEvery = 10 * 60_000;

/** @throws GatewayError `recording_unavailable` when the database cannot be reached or migrated; the cause says why */
export const openStore = async (options: StoreOptions): Promise<Store> => {
  try {
    return await joinStore(options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("recording_unavailable", `the database cannot be used: ${reason}`, { cause });
  }
};

const joinStore = async ({ connectionString, log, clock, mostWaiting }: StoreOptions): Promise<Store> => {
  await migrate(connectionString, log);
  const rows = await openRows(connectionString);
  const salts = new Salts();
  await openAhead(rows, clock, salts);
  const monotonic = (): number => performance.now();
  const sink = await openSink({ connectionString, log, clock, monotonic, salts, mostWaiting });
  const listener = await listenToAll({ connectionString, log, clock });
  const bodies = createBodies(rows, salts);
  const audit = createAudit({ rows, clock, log });
  const recovery = new Recovery(rows, monotonic);
  const recover = (): Promise<number> => recovery.recover();
  await recover();
  const indexer = new Indexer({ rows, log, clock, monotonic });
  const replays = createReplays(rows, { clock, monotonic });
  const chores = keepHouse({
    rows,
    log,
    monotonic,
    recover,
    watchReplays: () => replays.interruptSilent(),
    prepare: () => openAhead(rows, clock, salts),
  });
  return {
    sessions: { ...createSessions(rows, clock), onClosed: listener.onEnded },
    approvals: { ...createApprovals(rows), onChanged: listener.onApproval },
    receipts: createReceipts(rows, bodies),
    outlines: createOutlines(rows),
    bodies,
    audit,
    policies: createPolicies(rows, clock),
    people: createPeople(rows),
    limits: createLimits(rows),
    undos: createUndos(rows),
    replays,
    seals: createSeals(rows),
    log: createSealLog(rows),
    sink,
    following: createFollowing(rows, listener.onEnded),
    callSearch: createCallSearch(rows, monotonic),
    indexer,
    recover,
    retain: async (retention) => {
      try {
        await retain(rows, clock, retention);
      } finally {
        // Salts that are gone from the database are gone from this process.
        await openAhead(rows, clock, salts);
      }
    },
    close: async () => {
      chores.stop();
      await indexer.stop();
      listener.close();
      await audit.close();
      await sink.stop();
      await rows.close();
    },
  };
};

type House = TroubleParts & {
  readonly rows: Rows;
  recover(): Promise<number>;
  watchReplays(): Promise<void>;
  prepare(): Promise<void>;
};

const keepHouse = ({ rows, recover, watchReplays, prepare, ...told }: House): { stop(): void } => {
  // A round that takes longer than its turn is not joined by a second one.
  const repeat = (every: number, chore: () => Promise<unknown>): NodeJS.Timeout => {
    const trouble = new Trouble(told, "a chore of the store waits for the database");
    let busy = false;
    const round = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      await chore().then(
        () => trouble.worked(),
        (error: unknown) => trouble.failed(error),
      );
      busy = false;
    };
    return setInterval(() => void round(), every).unref();
  };
  const timers = [
    repeat(recoverEvery, recover),
    repeat(recoverEvery, watchReplays),
    repeat(sweepEvery, () => sweep(rows)),
    repeat(sweepEvery, prepare),
  ];
  return { stop: () => timers.forEach(clearInterval) };
};
