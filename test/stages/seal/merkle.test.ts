/** The Merkle tree against the published vectors of certificate-transparency and transparency-dev/merkle, and against any tree there is. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyRoot,
  GrowingTree,
  hashLeaf,
  hashNodes,
  isConsistent,
  proveConsistency,
  proveInclusion,
  type ReadHash,
  rootFrom,
  rootOf,
} from "../../../server/stages/seal/merkle.ts";
import {
  growTiles,
  readThroughTiles,
  type Tile,
  type TilePlace,
  widthOfTile,
} from "../../../server/stages/seal/tiles.ts";

const leafInputs = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));

/** Roots of the trees of the first 1, 2, … 8 of them. */
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
].map((hex) => Buffer.from(hex, "hex"));

const rootAt = (size: number): Buffer => roots[size - 1] ?? emptyRoot;
const base64 = (hashes: readonly string[]): Buffer[] => hashes.map((hash) => Buffer.from(hash, "base64"));

const inclusions = [
  { index: 0, size: 1, proof: [] },
  {
    index: 0,
    size: 8,
    proof: [
      "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
      "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
      "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    ],
  },
  {
    index: 5,
    size: 8,
    proof: [
      "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
      "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
      "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ],
  },
  { index: 2, size: 3, proof: ["+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="] },
  {
    index: 1,
    size: 5,
    proof: [
      "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
      "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
      "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    ],
  },
].map(({ proof, ...rest }) => ({ ...rest, proof: base64(proof) }));

const consistencies = [
  { earlier: 1, size: 1, proof: [] },
  {
    earlier: 1,
    size: 8,
    proof: [
      "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
      "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
      "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    ],
  },
  {
    earlier: 6,
    size: 8,
    proof: [
      "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
      "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
      "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ],
  },
  {
    earlier: 2,
    size: 5,
    proof: ["Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="],
  },
  {
    earlier: 6,
    size: 7,
    proof: [
      "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
      "sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=",
      "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ],
  },
].map(({ proof, ...rest }) => ({ ...rest, proof: base64(proof) }));

/** A tree in tiles, in memory. */
const treeOf = async (
  leaves: readonly Buffer[],
  batch = leaves.length,
): Promise<{ read: ReadHash; tiles: Map<string, Tile> }> => {
  const tiles = new Map<string, Tile>();
  const readTile = async ({ level, n }: TilePlace): Promise<Buffer> => {
    const tile = tiles.get(`${level}/${n}`);
    if (tile === undefined) throw new Error(`no tile ${level}/${n}`);
    return tile.hashes;
  };
  for (let at = 0; at < leaves.length; at += batch)
    for (const tile of await growTiles(readTile, at, leaves.slice(at, at + batch)))
      tiles.set(`${tile.level}/${tile.n}`, tile);
  return { read: readThroughTiles(readTile), tiles };
};

/** As RFC 6962 §2.1 defines it, without anything clever. */
const plainRoot = (leaves: readonly Buffer[]): Buffer => {
  const [first] = leaves;
  if (first === undefined) return emptyRoot;
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hashNodes(plainRoot(leaves.slice(0, split)), plainRoot(leaves.slice(split)));
};

const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => hashLeaf(Buffer.from(`leaf ${i}`)));

const flip = (hash: Buffer, bit: number): Buffer => {
  const changed = Buffer.from(hash);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
};

describe("published vectors", () => {
  test("the empty tree has the hash of nothing", () => {
    expect(emptyRoot.toString("hex")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  test("the trees of one to eight leaves have their roots, read from tiles and grown leaf by leaf", async () => {
    const { read } = await treeOf(leafInputs.map(hashLeaf));
    const growing = new GrowingTree();
    for (const [i, input] of leafInputs.entries()) {
      growing.add(hashLeaf(input));
      expect(growing.root()).toEqual(rootAt(i + 1));
      expect(await rootOf(read, i + 1)).toEqual(rootAt(i + 1));
    }
  });

  test.each(inclusions)("leaf $index of $size is proven with just that path", async ({ index, size, proof }) => {
    const { read } = await treeOf(leafInputs.map(hashLeaf));
    expect(await proveInclusion(read, index, size)).toEqual(proof);
    const leaf = hashLeaf(leafInputs[index] ?? Buffer.alloc(0));
    expect(rootFrom({ index, size, leaf, proof })).toEqual(rootAt(size));
  });

  test.each(consistencies)("$size continues $earlier with just that proof", async ({ earlier, size, proof }) => {
    const { read } = await treeOf(leafInputs.map(hashLeaf));
    expect(await proveConsistency(read, earlier, size)).toEqual(proof);
    const [before, now] = [
      { size: earlier, root: rootAt(earlier) },
      { size, root: rootAt(size) },
    ];
    expect(isConsistent(before, now, proof)).toBe(true);
  });

  test.each(inclusions.slice(1))("leaf $index of $size: nothing else passes for it", ({ index, size, proof }) => {
    const leaf = hashLeaf(leafInputs[index] ?? Buffer.alloc(0));
    const right = { index, size, leaf, proof };
    const wrong = [
      { ...right, index: index + 1 },
      { ...right, index: index ^ 2 },
      { ...right, size: size * 2 },
      { ...right, size: Math.floor(size / 2) },
      { ...right, leaf: flip(leaf, 4) },
      { ...right, proof: [] },
      { ...right, proof: [...proof, Buffer.alloc(0)] },
      { ...right, proof: [...proof, rootAt(size)] },
      { ...right, proof: [Buffer.from("garbage"), ...proof] },
      { ...right, proof: proof.slice(0, -1) },
      ...proof.map((hash, i) => ({ ...right, proof: proof.with(i, flip(hash, 4)) })),
    ];
    for (const [i, each] of wrong.entries())
      expect([i, rootFrom(each)?.equals(rootAt(size)) ?? false]).toEqual([i, false]);
  });

  test.each(consistencies.slice(1))("$size and $earlier: nothing else passes for it", ({ earlier, size, proof }) => {
    const before = { size: earlier, root: rootAt(earlier) };
    const now = { size, root: rootAt(size) };
    const wrong = [
      [{ ...before, size: earlier - 1 }, now, proof],
      [{ ...before, size: earlier + 1 }, now, proof],
      [before, { ...now, size: size * 2 }, proof],
      [before, { ...now, size: Math.floor(size / 2) }, proof],
      [{ ...before, root: Buffer.from("WrongRoot") }, now, proof],
      [before, { ...now, root: Buffer.from("WrongRoot") }, proof],
      [{ ...before, root: now.root }, { ...now, root: before.root }, proof],
      [before, now, []],
      [before, now, proof.slice(0, -1)],
      [before, now, [...proof, now.root]],
      [before, now, [before.root, ...proof]],
      ...proof.map((hash, i) => [before, now, proof.with(i, flip(hash, 4))] as const),
    ] as const;
    for (const [i, [one, other, path]] of wrong.entries())
      expect([i, isConsistent(one, other, path)]).toEqual([i, false]);
  });

  test.each([
    [0, 0, true],
    [0, 1, true],
    [1, 1, true],
    [2, 1, false],
  ])("without a proof, %i and %i", (earlier, size, consistent) => {
    expect(isConsistent({ size: earlier, root: rootAt(earlier) }, { size, root: rootAt(size) }, [])).toBe(consistent);
  });
});

describe("any tree", () => {
  test("of any size, written in any batches, has the root that the definition gives, and each leaf's proof leads to it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        async (size, batch, chosen) => {
          const leaves = leavesOf(size);
          const { read } = await treeOf(leaves, batch);
          const root = plainRoot(leaves);
          expect(await rootOf(read, size)).toEqual(root);
          const index = chosen % size;
          const proof = await proveInclusion(read, index, size);
          const leaf = leaves[index] ?? root;
          expect(rootFrom({ index, size, leaf, proof })).toEqual(root);
          const other = (index + 1) % size;
          if (other !== index) expect(rootFrom({ index: other, size, leaf, proof })).not.toEqual(root);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("continues each of its beginnings, and no other tree of that size", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), fc.nat(), fc.nat(), async (size, at, altered) => {
        const leaves = leavesOf(size);
        const { read } = await treeOf(leaves);
        const earlier = (at % size) + 1;
        const proof = await proveConsistency(read, earlier, size);
        const now = { size, root: plainRoot(leaves) };
        expect(isConsistent({ size: earlier, root: plainRoot(leaves.slice(0, earlier)) }, now, proof)).toBe(true);
        const forged = leaves.slice(0, earlier).with(altered % earlier, hashLeaf(Buffer.from("forged")));
        expect(isConsistent({ size: earlier, root: plainRoot(forged) }, now, proof)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("beyond 65,536 leaves still reads its root from three levels of tiles", async () => {
    const leaves = leavesOf(65_536 + 300);
    const { read, tiles } = await treeOf(leaves, 4_096);
    expect(await rootOf(read, leaves.length)).toEqual(plainRoot(leaves));
    expect(tiles.get("2/0")?.hashes.length).toBe(32);
    expect(widthOfTile({ level: 0, n: 257 }, leaves.length)).toBe(44);
    expect(widthOfTile({ level: 2, n: 0 }, leaves.length)).toBe(1);
    expect(widthOfTile({ level: 0, n: 258 }, leaves.length)).toBeNull();
  });
});
