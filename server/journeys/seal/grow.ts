/** Takes seals into the log and signs what it has become; nothing is signed that contradicts what was signed before. */

import type { Log } from "../../model/log.ts";
import { leafOf } from "../../stages/seal/chain.ts";
import { type Checkpoint, openCheckpoint, signCheckpoint } from "../../stages/seal/checkpoint.ts";
import { hashLeaf, isConsistent, proveConsistency, rootOf, type TreeHead } from "../../stages/seal/merkle.ts";
import type { NoteKey, Signer } from "../../stages/seal/note.ts";
import { growTiles, type ReadTile, readThroughTiles } from "../../stages/seal/tiles.ts";
import type { SealLog } from "../../store/log.ts";

/** Who signs, and whose older signatures count: the first signer names the log. */
export type SignKeys = {
  readonly signers: readonly [Signer, ...Signer[]];
  readonly known: readonly NoteKey[];
};

/** The last checkpoint that this gateway signed or saw, kept outside the database; null before the first. */
export type CheckpointMemory = {
  recall(): Promise<string | null>;
  remember(note: string): Promise<void>;
};

export type GrowParts = {
  readonly sealLog: SealLog;
  readonly keys: SignKeys;
  readonly memory: CheckpointMemory;
  readonly log: Log;
};

/** The log in the database is not the one that was signed: it was rolled back, altered, or is another's. */
export class LogRefused extends Error {}

/** Returns the checkpoint that covers everything now. @throws LogRefused */
export async function growLog(parts: GrowParts): Promise<Checkpoint> {
  let size = -1;
  for (let grown = await addLeaves(parts); grown > size; grown = await addLeaves(parts)) size = grown;
  return sign(parts);
}

const addLeaves = async (parts: GrowParts): Promise<number> => {
  try {
    return await appendTo(parts);
  } catch (error) {
    // The store says of everything that ends a transaction that the database did not answer.
    throw error instanceof Error && error.cause instanceof LogRefused ? error.cause : error;
  }
};

const appendTo = ({ sealLog, ...parts }: GrowParts): Promise<number> =>
  sealLog.append(async ({ size, checkpoint, waiting, readTile }) => {
    if (waiting.length === 0) return [];
    await examine(parts, { size, readTile }, checkpoint);
    return growTiles(
      readTile,
      size,
      waiting.map((seal) => hashLeaf(leafOf(seal))),
    );
  });

type Tree = { readonly size: number; readonly readTile: ReadTile };

/** What was signed before, and is still what the tree begins with. @throws LogRefused */
const examine = async (
  { keys, memory }: Pick<GrowParts, "keys" | "memory">,
  tree: Tree,
  newest: string | null,
): Promise<Checkpoint | null> => {
  const signed = newest === null ? null : open(keys, newest, "the newest checkpoint in the database");
  const recalled = await memory.recall();
  const known = recalled === null ? null : open(keys, recalled, "the checkpoint that this gateway remembers");
  for (const earlier of [signed, known]) if (earlier !== null) await requireBeginning(tree, earlier);
  return signed;
};

const open = ({ signers: [first], known }: SignKeys, note: string, what: string): Checkpoint => {
  const opened = openCheckpoint(note, known);
  if (typeof opened === "string")
    throw new LogRefused(`${what} cannot be used: ${opened}; is keys.sign the log's key?`);
  if (opened.origin === first.name) return opened;
  throw new LogRefused(`${what} is of log ${opened.origin}, and keys.sign signs for ${first.name}`);
};

const requireBeginning = async ({ size, readTile }: Tree, earlier: Checkpoint): Promise<void> => {
  if (earlier.size > size)
    throw new LogRefused(
      `the database has a log of ${size} seals, and ${earlier.size} were signed: it was rolled back, or is another one`,
    );
  const root = await rootOf(readThroughTiles(readTile), earlier.size).catch(() => null);
  if (root?.equals(earlier.root) !== true)
    throw new LogRefused(
      `the first ${earlier.size} seals in the database are not those that were signed: it was altered`,
    );
};

/**
 * The tree is durable before it is signed, and each size has one tree: gateways that sign at the same time sign the same. What is
 * signed is remembered before anybody can see it.
 */
const sign = async ({ sealLog, keys, memory, log }: GrowParts): Promise<Checkpoint> => {
  // In this order: the log only grows, so what another gateway signs in between is not ahead of it.
  const newest = await sealLog.checkpoint();
  const size = await sealLog.size();
  const readTile: ReadTile = (place) => sealLog.readTile(place);
  const signed = await examine({ keys, memory }, { size, readTile }, newest);
  if (signed !== null && newest !== null && signed.size === size) {
    await memory.remember(newest);
    return signed;
  }
  const head = await headAt(readTile, { signed, size });
  const note = await signCheckpoint(head, keys.signers);
  await memory.remember(note);
  await sealLog.publish(size, note);
  log.info({ size, root: head.root.toString("base64") }, "signed a checkpoint of the log of seals");
  return { ...head, origin: keys.signers[0].name };
};

const headAt = async (
  readTile: ReadTile,
  { signed, size }: { readonly signed: Checkpoint | null; readonly size: number },
): Promise<TreeHead> => {
  const read = readThroughTiles(readTile);
  const head = { size, root: await rootOf(read, size) };
  if (signed !== null && !isConsistent(signed, head, await proveConsistency(read, signed.size, size)))
    throw new LogRefused(`the log of ${size} seals does not continue the ${signed.size} that were signed`);
  return head;
};
