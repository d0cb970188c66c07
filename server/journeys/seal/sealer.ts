/** What seals sessions in one gateway: at their close, and again and again whatever has ended without a seal. */

import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent } from "../../model/audit.ts";
import type { Seal } from "../../model/seal.ts";
import { Trouble } from "../../model/trouble.ts";
import { type SealParts, sealSession, Unsealable } from "../seal.ts";
import { type GrowParts, growLog, LogRefused } from "./grow.ts";

export type SealerParts = SealParts & GrowParts & { audit(event: AuditEvent): void };

export type SealHealth = {
  /** Seals in the log, as this gateway saw it last. */
  readonly size: number;
  /** False while the log in the database contradicts what was signed: nothing is signed. */
  readonly consistent: boolean;
  /** Sessions whose recordings contradict themselves, as far as this gateway met them. */
  readonly unsealable: number;
};

/** Whoever closes a session waits so long for its last calls, ms, and so long for its seal: a session of 100,000 calls takes longer. */
const patience = 3_000;
const longestWait = 10_000;
const pause = 50;
/** Sessions looked at in one go. */
const atOnce = 100;

export class Sealer {
  readonly #parts: SealerParts;
  readonly #unsealed: Trouble;
  readonly #ungrown: Trouble;
  #size = 0;
  #refusal: string | null = null;
  readonly #unsealable = new Set<string>();
  /** The one that is growing the log, and the one that will. */
  #growing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #round: Promise<void> | null = null;
  /** What goes on although nobody waits for it any more. */
  readonly #busy = new Set<Promise<unknown>>();
  /** Sessions that are being sealed: the chain of a long one is computed once. */
  readonly #sealing = new Map<string, Promise<Seal | null>>();

  constructor(parts: SealerParts) {
    this.#parts = parts;
    const told = { log: parts.log, monotonic: () => parts.now().getTime() };
    this.#unsealed = new Trouble(told, "sessions are not sealed yet");
    this.#ungrown = new Trouble(told, "the log of seals did not grow; it is tried again");
  }

  get health(): SealHealth {
    return {
      size: this.#size,
      consistent: this.#refusal === null,
      unsealable: this.#unsealable.size,
    };
  }

  /** The session's seal with its place in the log, or as much as there is of it soon. Never fails: it goes on, or is tried again later. */
  async seal(id: string): Promise<Seal | null> {
    const enough = new AbortController();
    const work = this.#sealNow(id);
    this.#busy.add(work);
    try {
      const waited = sleep(longestWait, null, { signal: enough.signal, ref: false }).catch(() => null);
      return await Promise.race([work, waited]);
    } finally {
      enough.abort();
      void work.finally(() => this.#busy.delete(work));
    }
  }

  async #sealNow(id: string): Promise<Seal | null> {
    try {
      if (!(await this.#isOver(id))) return null;
      const seal = await this.#sealOne(id);
      if (seal === null || seal.checkpoint !== null) return seal;
      await this.#grow();
      return await this.#parts.seals.get(id);
    } catch (error) {
      this.#parts.log.warn({ err: error, session: id }, "a session is not sealed yet");
      return this.#parts.seals.get(id).catch(() => null);
    }
  }

  /** Seals what has ended and takes it into the log; never fails. */
  round(): Promise<void> {
    this.#round ??= this.#sealAll()
      .catch((error: unknown) => this.#unsealed.failed(error))
      .finally(() => {
        this.#round = null;
      });
    return this.#round;
  }

  /** What has begun may end, for a while; what then breaks off is begun again by whoever comes next. */
  async stop(): Promise<void> {
    const all = Promise.all([this.#round, ...this.#busy]).then(() => this.#growing);
    await Promise.race([all, sleep(patience, undefined, { ref: false })]);
  }

  async #sealAll(): Promise<void> {
    const failed: { readonly session: string; readonly error: unknown }[] = [];
    let after: string | null = null;
    for (;;) {
      const ids: readonly string[] = await this.#parts.seals.unsealed(after, atOnce);
      for (const id of ids)
        if (!this.#unsealable.has(id))
          await this.#sealOne(id).catch((error: unknown) => failed.push({ session: id, error }));
      after = ids.at(-1) ?? null;
      if (ids.length < atOnce) break;
    }
    const [first] = failed;
    if (first === undefined) this.#unsealed.worked();
    else this.#unsealed.failed(first.error, { session: first.session, sessions: failed.length });
    await this.#grow();
  }

  #sealOne(id: string): Promise<Seal | null> {
    const busy = this.#sealing.get(id);
    if (busy !== undefined) return busy;
    const work = this.#sealAlone(id).finally(() => this.#sealing.delete(id));
    this.#sealing.set(id, work);
    return work;
  }

  async #sealAlone(id: string): Promise<Seal | null> {
    try {
      return await sealSession(this.#parts, id);
    } catch (error) {
      if (!(error instanceof Unsealable)) throw error;
      this.#unsealable.add(id);
      this.#parts.log.error({ session: id, reason: error.message }, "a session cannot be sealed");
      this.#parts.audit({ kind: "session_unsealable", who: "gateway", what: `session ${id}`, reason: error.message });
      return null;
    }
  }

  async #isOver(id: string): Promise<boolean> {
    for (let waited = 0; waited < patience; waited += pause) {
      if (await this.#parts.seals.isOver(id)) return true;
      await sleep(pause);
    }
    return false;
  }

  /** Whoever comes while the log grows shares the next turn: many seals, one signature. */
  #grow(): Promise<void> {
    this.#next ??= this.#growing.then(async () => {
      this.#next = null;
      this.#growing = this.#growNow();
      await this.#growing;
    });
    return this.#next;
  }

  async #growNow(): Promise<void> {
    try {
      this.#size = (await growLog(this.#parts)).size;
      this.#refusal = null;
      this.#ungrown.worked();
    } catch (error) {
      if (!(error instanceof LogRefused)) {
        this.#ungrown.failed(error);
        return;
      }
      if (this.#refusal !== error.message)
        this.#parts.audit({ kind: "log_refused", who: "gateway", what: "log of seals", reason: error.message });
      this.#refusal = error.message;
      this.#parts.log.error(
        { reason: error.message },
        "NOTHING IS SIGNED: the log of seals in the database is not the one that was signed; see docs/evidence.md",
      );
    }
  }
}
