/** An export that proves itself: sessions with their receipts and bodies, their seals, and the log that holds them, line by line. */

import { refuseApi, type ApiRefusal } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Seal, SealForm } from "../model/seal.ts";
import type { Session } from "../model/session.ts";
import { proveInclusion, type ReadHash } from "../stages/seal/merkle.ts";
import type { WrittenLine } from "../stages/seal/proofLines.ts";
import { readThroughTiles, tileWidth } from "../stages/seal/tiles.ts";
import type { Bodies } from "../store/bodies.ts";
import type { SealLog } from "../store/log.ts";
import type { Receipts } from "../store/receipts.ts";
import { isUnreadable } from "../store/rows.ts";
import type { Seals } from "../store/seals.ts";
import { type Reader, readerName, seesEverything } from "./history.ts";
import { readReceipts, sealedSessionOf, withApprovals } from "./seal.ts";
import { type Found, readTogether } from "./proof/bodies.ts";
import { callOf } from "./proof/call.ts";
import type { SignKeys } from "./seal/grow.ts";

export type ProofParts = {
  readonly sessions: { get(id: string): Promise<Session | null> };
  readonly receipts: Pick<Receipts, "calls" | "call">;
  readonly bodies: Pick<Bodies, "read" | "readSmall">;
  readonly seals: Seals;
  readonly sealLog: SealLog;
  readonly signKeys: SignKeys;
  /** How long receipts are kept, ms. */
  keepsReceipts(): number;
  /** Resolves when it is durable. */
  auditFirst(event: AuditEvent): Promise<void>;
  now(): Date;
};

/** Which sessions: `all` that have ended. */
export type Wanted = "all" | readonly string[];

/** A refusal comes before the first line. */
export async function exportProof(
  parts: ProofParts,
  reader: Reader,
  wanted: Wanted,
): Promise<AsyncIterable<WrittenLine> | ApiRefusal> {
  const refusal = seesEverything(reader);
  if (refusal !== null) return refusal;
  const checkpoint = await parts.sealLog.checkpoint();
  if (checkpoint === null)
    return refuseApi("recording_unavailable", "the log of seals has not been signed yet: try again in a moment");
  const what = wanted === "all" ? "all sessions" : `${wanted.length} sessions: ${wanted.slice(0, 5).join(", ")}`;
  await parts.auditFirst({ kind: "recording_viewed", who: readerName(reader), what, reason: "export with its proof" });
  return counted(linesOf(parts, wanted, checkpoint));
}

/** The last line says how many there are, so that a file that was cut is known by it. */
async function* counted(lines: AsyncIterable<WrittenLine>): AsyncGenerator<WrittenLine> {
  let count = 1;
  for await (const line of lines) {
    count += 1;
    yield line;
  }
  yield { kind: "end", lines: count };
}

async function* linesOf(parts: ProofParts, wanted: Wanted, note: string): AsyncGenerator<WrittenLine> {
  const [origin = "", sizeText = "0"] = note.split("\n");
  const size = Number(sizeText);
  const began = parts.now();
  yield {
    kind: "header",
    format: "dogwatch-proof-v1",
    origin,
    key: parts.signKeys.known.map(({ vkey }) => vkey),
    made_at: began.toISOString(),
    sessions: wanted === "all" ? "all" : [...wanted],
  };
  yield { kind: "checkpoint", note };
  yield* leavesOf(parts, size);
  const read = readThroughTiles((place) => parts.sealLog.readTile(place));
  const proving = { ...parts, read, size, began };
  if (wanted !== "all") for (const id of wanted) yield* sessionOf(proving, id, await parts.seals.get(id));
  else yield* everything(proving);
}

async function* leavesOf({ sealLog }: ProofParts, size: number): AsyncGenerator<WrittenLine> {
  for (let from = 0; from < size; from += tileWidth) {
    // Whoever added leaves since has made it longer.
    const tile = await sealLog.readTile({ level: 0, n: from / tileWidth });
    const hashes = tile.subarray(0, Math.min(tileWidth, size - from) * 32).toString("base64");
    yield { kind: "leaves", from, hashes };
  }
}

type Proving = ProofParts & { readonly read: ReadHash; readonly size: number; readonly began: Date };

/** Rows of a list that are in memory at a time. */
const atOnce = 200;

/** A seal comes seconds after the end: a session that ended less than this, ms, before an export may not have its own yet. */
const sealingTime = 60_000;

/**
 * By the log first, so that a session that is gone is missed; then whatever has ended and has no place in it, but for what only just
 * did: it would be found unsealed, and is not.
 */
async function* everything(parts: Proving): AsyncGenerator<WrittenLine> {
  for (let from = 0; from < parts.size; ) {
    const seals: readonly Seal[] = await parts.seals.logged(from, atOnce);
    for (const seal of seals)
      if ((seal.log_index ?? parts.size) < parts.size) yield* sessionOf(parts, seal.session_id, seal);
    const last = seals.at(-1)?.log_index ?? null;
    if (last === null) break;
    from = last + 1;
  }
  let after: string | null = null;
  for (;;) {
    const ids: readonly string[] = await parts.seals.outside(parts.size, after, atOnce);
    for (const id of ids) {
      const seal = await parts.seals.get(id);
      if (!(await isBeingSealed(parts, id, seal))) yield* sessionOf(parts, id, seal);
    }
    after = ids.at(-1) ?? null;
    if (ids.length < atOnce) return;
  }
}

const isBeingSealed = async ({ sessions, began, now }: Proving, id: string, seal: Seal | null): Promise<boolean> => {
  const session = await unlessUnreadable(() => sessions.get(id));
  const ended = session === null || session === "unreadable" ? null : session.closed_at;
  const isLate = (at: Date): boolean =>
    at.getTime() > began.getTime() - sealingTime && at.getTime() <= now().getTime() + sealingTime;
  return [ended, seal?.sealed_at ?? null].some((at) => at !== null && isLate(at));
};

async function* sessionOf(parts: Proving, id: string, seal: Seal | null): AsyncGenerator<WrittenLine> {
  const session = await unlessUnreadable(() => parts.sessions.get(id));
  const written = seal === null ? null : writtenSeal(seal);
  const proof = await proofOf(parts, seal);
  if (session === null || session === "unreadable") {
    const sealedSince = seal === null ? 0 : parts.now().getTime() - seal.sealed_at.getTime();
    const why = session ?? (sealedSince > parts.keepsReceipts() ? "expired" : "gone");
    yield { kind: "absent", session_id: id, seal: written, proof, why };
    return;
  }
  // What has no seal yet is shown as it will be sealed.
  const form = (seal === null ? null : await parts.seals.form(id)) ?? 2;
  yield { kind: "session", session: sealedSessionOf(session, form), seal: written, proof };
  const digests = new DigestRows(parts.seals, id);
  const salt = await parts.seals.salt(id);
  for await (const page of callsOf(parts, session, form))
    for (const { calls, bodies } of readTogether(page)) {
      const small = salt === null ? new Map<string, Buffer>() : await parts.bodies.readSmall(bodies);
      for (const found of calls) {
        yield* digests.upTo("call" in found ? found.call.n : found.n);
        yield* "call" in found ? callOf(parts, found, { salt, small }) : [{ kind: "unreadable", n: found.n } as const];
      }
    }
  yield* digests.upTo(Number.POSITIVE_INFINITY);
}

const writtenSeal = ({ checkpoint: _unused, sealed_at, ...seal }: Seal) => ({
  ...seal,
  sealed_at: sealed_at.toISOString(),
});

const proofOf = async ({ read, size }: Proving, seal: Seal | null): Promise<string[] | null> => {
  if (seal === null || seal.log_index === null || seal.log_index >= size) return null;
  return (await proveInclusion(read, seal.log_index, size)).map((hash) => hash.toString("base64"));
};

const unlessUnreadable = async <T>(read: () => Promise<T>): Promise<T | "unreadable"> => {
  try {
    return await read();
  } catch (error) {
    if (isUnreadable(error)) return "unreadable";
    throw error;
  }
};

/** Page by page; where a page cannot be read because somebody wrote into it what no gateway writes, call by call. */
async function* callsOf(parts: Proving, { id, calls }: Session, form: SealForm): AsyncGenerator<readonly Found[]> {
  let last = 0;
  try {
    for await (const page of readReceipts(parts, id, form)) {
      yield page;
      last = page.at(-1)?.call.n ?? last;
    }
    return;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  for (let n = last + 1; n <= calls; n++) {
    const found = await unlessUnreadable(async () => {
      const call = await parts.receipts.call(id, n);
      return withApprovals(parts.seals, call === null ? [] : [call], form);
    });
    yield found === "unreadable" ? [{ n }] : found;
  }
}

/** Gives what was sealed of calls before the calls themselves. */
class DigestRows {
  readonly #seals: Seals;
  readonly #id: string;
  #next = 0;
  #ended = false;

  constructor(seals: Seals, id: string) {
    this.#seals = seals;
    this.#id = id;
  }

  async *upTo(n: number): AsyncGenerator<WrittenLine> {
    while (!this.#ended && this.#next <= n) {
      const row = await this.#seals.digests(this.#id, this.#next);
      if (row === null) {
        this.#ended = true;
        return;
      }
      const { from, digests, prints } = row;
      this.#next = from === 0 ? 1 : from + digests.length / 32;
      yield { kind: "digests", from, digests: digests.toString("base64"), prints: prints.toString("base64") };
    }
  }
}
