/** What a gateway does by itself, now and again: it ends idle sessions, seals what has ended, and drops what is too old. */

import { checkpointFileIn, openCheckpointFile } from "./checkpointFile.ts";
import { expireIdle } from "./journeys/close.ts";
import type { SignKeys } from "./journeys/seal/grow.ts";
import { Sealer } from "./journeys/seal/sealer.ts";
import type { AuditEvent } from "./model/audit.ts";
import type { Config } from "./model/config.ts";
import type { Log } from "./model/log.ts";
import { Trouble } from "./model/trouble.ts";
import type { Store } from "./store/database.ts";

const sweepEvery = 15_000;
const retainEvery = 10 * 60_000;

export type UpkeepParts = {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly log: Log;
  /** ms after which a session in which nothing happens is closed. */
  readonly lifetime: number;
  /** By the configuration in force. */
  retention(): Config["retention"];
};

/** Begins at once: a gateway may never run for long. */
export const keepUp = (parts: UpkeepParts): { stop(): void } => {
  let stopped = false;
  void parts.sealer.round();
  const expire = expiring(parts);
  const sweep = setInterval(() => void expire().then(() => parts.sealer.round()), sweepEvery);
  const retain = retaining(parts, () => stopped);
  void retain();
  const retention = setInterval(() => void retain(), retainEvery);
  return {
    stop: () => {
      stopped = true;
      clearInterval(sweep);
      clearInterval(retention);
    },
  };
};

const expiring = ({ store, log, lifetime }: UpkeepParts): (() => Promise<void>) => {
  const trouble = new Trouble({ log, monotonic: () => performance.now() }, "idle sessions were not closed");
  const parts = { sessions: store.sessions, audit: (event: AuditEvent) => store.audit.append(event) };
  return () =>
    expireIdle(parts, new Date(Date.now() - lifetime)).then(
      () => trouble.worked(),
      (error: unknown) => trouble.failed(error),
    );
};

/** One round at a time. */
const retaining = ({ store, log, retention }: UpkeepParts, isStopped: () => boolean): (() => Promise<void>) => {
  let busy = false;
  return async () => {
    if (busy) return;
    busy = true;
    await store.retain(retention()).catch((error: unknown) => {
      if (!isStopped()) log.warn({ err: error }, "recordings that are too old are dropped later");
    });
    busy = false;
  };
};

type Sealing = Pick<UpkeepParts, "store" | "log"> & { readonly signKeys: SignKeys; readonly dataDir: string };

export const joinSealer = ({ store, log, signKeys, dataDir }: Sealing): Sealer =>
  new Sealer({
    sessions: store.sessions,
    receipts: store.receipts,
    seals: store.seals,
    sealLog: store.log,
    keys: signKeys,
    memory: openCheckpointFile(checkpointFileIn(dataDir), log),
    audit: (event) => store.audit.append(event),
    log,
    now: () => new Date(),
  });
