/** Keys, memory and a sealer for tests: what a gateway seals with, without the gateway. */

import { generateKeyPairSync } from "node:crypto";
import type { CheckpointMemory, SignKeys } from "../../server/journeys/seal/grow.ts";
import { Sealer } from "../../server/journeys/seal/sealer.ts";
import type { AuditEvent } from "../../server/model/audit.ts";
import type { Log } from "../../server/model/log.ts";
import { signerOf } from "../../server/stages/seal/note.ts";
import type { Store } from "../../server/store/database.ts";
import { quietLog } from "./database.ts";

export const newSignKeys = (name = "dogwatch.example.com/v1/log"): SignKeys => {
  const signer = signerOf(name, generateKeyPairSync("ed25519").privateKey);
  return { signers: [signer], known: [signer] };
};

/** Forgets when the test ends. */
export const newMemory = (): CheckpointMemory & { note: string | null } => {
  const memory = {
    note: null as string | null,
    recall: async () => memory.note,
    remember: async (note: string) => {
      memory.note = note;
    },
  };
  return memory;
};

export type SealerOptions = {
  readonly store: Store;
  readonly keys: SignKeys;
  readonly memory?: CheckpointMemory;
  readonly events?: AuditEvent[];
  readonly log?: Log;
  readonly now?: () => Date;
};

export const newSealer = ({ store, keys, memory, events = [], log, now }: SealerOptions): Sealer =>
  new Sealer({
    sessions: store.sessions,
    receipts: store.receipts,
    seals: store.seals,
    sealLog: store.log,
    keys,
    memory: memory ?? newMemory(),
    audit: (event) => events.push(event),
    log: log ?? quietLog,
    now: now ?? (() => new Date()),
  });
