/** C2SP tlog-tiles: a Merkle tree kept as tiles of up to 256 hashes, their paths, and bundles of entries. */

import { hashLength, hashNodes, type ReadHash } from "./merkle.ts";

/** Hashes of a full tile, and entries of a full bundle. */
export const tileWidth = 256;
const tileLevels = 8;

/** `level` counts tiles: its hashes are of 256^level leaves each. */
export type TilePlace = { readonly level: number; readonly n: number };
export type ReadTile = (place: TilePlace) => Promise<Buffer>;

/** Hashes of any complete subtree, computed from the tile that holds what is below it. */
export const readThroughTiles =
  (readTile: ReadTile): ReadHash =>
  async (level, index) => {
    const within = level % tileLevels;
    const width = 2 ** within;
    const first = index * width;
    const tile = await readTile({ level: Math.floor(level / tileLevels), n: Math.floor(first / tileWidth) });
    const from = first % tileWidth;
    const hashes = Array.from({ length: width }, (_, i) => hashAt(tile, from + i));
    return foldPairs(hashes);
  };

/** @throws Error when the tile is shorter than the tree says */
const hashAt = (tile: Buffer, index: number): Buffer => {
  const hash = tile.subarray(index * hashLength, (index + 1) * hashLength);
  if (hash.length !== hashLength) throw new Error("a tile of the log holds fewer hashes than the log has");
  return hash;
};

const foldPairs = (hashes: readonly Buffer[]): Buffer => {
  const [first, ...others] = hashes;
  if (first === undefined) throw new Error("a tile without hashes has no root");
  if (others.length === 0) return first;
  const pairs = hashes.flatMap((hash, i) => {
    const right = hashes[i + 1];
    return i % 2 === 0 && right !== undefined ? [hashNodes(hash, right)] : [];
  });
  return foldPairs(pairs);
};

export type Tile = TilePlace & { readonly hashes: Buffer };

/** The tiles that change, and how, when these leaves are added to a tree of `size`. */
export const growTiles = async (
  readTile: ReadTile,
  size: number,
  leaves: readonly Buffer[],
): Promise<readonly Tile[]> => {
  const changed = new Map<string, Tile>();
  const add = async (level: number, index: number, hash: Buffer): Promise<void> => {
    const n = Math.floor(index / tileWidth);
    const name = `${level}/${n}`;
    const used = (index % tileWidth) * hashLength;
    const before = changed.get(name)?.hashes ?? (used === 0 ? Buffer.alloc(0) : await readTile({ level, n }));
    if (before.length !== used) throw new Error(`tile ${name} of the log does not end where the log does`);
    const hashes = Buffer.concat([before, hash]);
    changed.set(name, { level, n, hashes });
    if (hashes.length === tileWidth * hashLength) await add(level + 1, n, rootOfTile(hashes));
  };
  let at = size;
  for (const leaf of leaves) await add(0, at++, leaf);
  return [...changed.values()];
};

const rootOfTile = (tile: Buffer): Buffer => foldPairs(Array.from({ length: tileWidth }, (_, i) => hashAt(tile, i)));

/** How many hashes a tile has in a tree of `size` leaves; null when there is no such tile. */
export const widthOfTile = ({ level, n }: TilePlace, size: number): number | null => {
  const hashes = Math.floor(size / tileWidth ** level) - n * tileWidth;
  return hashes <= 0 ? null : Math.min(hashes, tileWidth);
};

const number = /^(?:x\d{3}\/)*\d{3}$/;

/** `x001/x234/067` → 1234067; null for anything that is not written so. */
export const readTileNumber = (path: string): number | null => {
  if (!number.test(path) || path.length > 24) return null;
  const n = Number(path.replaceAll(/[x/]/g, ""));
  return Number.isSafeInteger(n) && writeTileNumber(n) === path ? n : null;
};

export const writeTileNumber = (n: number): string => {
  const digits = String(n);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
};

/** Each entry behind its length, a big-endian uint16. */
export const writeBundle = (entries: readonly Buffer[]): Buffer =>
  Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
