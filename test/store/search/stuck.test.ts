/** What cannot be read, written or joined in the index keeps nothing else out of it. */

import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { isQueryProblem, readQuery } from "../../../server/journeys/search/language.ts";
import { findPage } from "../../../server/journeys/search/search.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { bodyOf, closing, opening, sessionOfOld } from "../specimens.ts";

let database: FreshDatabase;
let store: Store;
const said: object[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  const log = { ...quietLog, warn: (fields: object) => void said.push(fields) };
  store = await openStore({ connectionString: database.connectionString, log, clock: () => new Date() });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const record = (session_id: string, text: string, client = "curl") =>
  store.sink.record(opening(session_id, { client }), () => closing({ response: { headers: [], body: bodyOf(text) } }));

const found = async (q: string): Promise<string[]> => {
  const query = readQuery(q, new Date());
  if (isQueryProblem(query)) throw new Error(query.message);
  const page = await findPage(store, { query, scope: { kind: "everything" }, after: null, limit: 200 });
  return page.items.map(({ call }) => `${call.session_id}/${call.n}`);
};

/** As somebody does it who has all rights. */
const tamper = (text: string): Promise<unknown> =>
  database.query(`SET session_replication_role = replica; ${text}; RESET session_replication_role`);

const blocksOf = (id: string) =>
  database.query<{ first: number; places: number; parts: number }>(
    "SELECT first, places, parts FROM search_blocks WHERE epoch = epoch_of($1) ORDER BY first",
    [id],
  );

test.each([
  [
    60,
    "is not stored as a whole",
    (id: string) =>
      `DELETE FROM phrases p USING calls c WHERE c.phrase = p.digest AND c.session_id = '${id}' AND c.n = 2`,
  ],
  [
    70,
    "is not what any gateway writes",
    (id: string) => `UPDATE calls SET access = 'perhaps' WHERE session_id = '${id}' AND n = 2`,
  ],
])("a call of %i days ago that %s keeps no other from being indexed and found", async (days, _, altering) => {
  const [bad, later] = [await sessionOfOld(database, days), await sessionOfOld(database, days - 30)];
  for (const n of [1, 2, 3])
    await record(bad, `{"k":"beside the hole ${n}"}`, n === 2 ? `nobody else's ${bad}` : "curl");
  await record(later, '{"k":"days after the hole"}');
  await database.query("SELECT place_for_search(1000)");
  await tamper(altering(bad));
  // Not in a block yet, and in one.
  for (let round = 0; round < 2; round++) {
    expect(await found(`"beside the hole" session:${bad}`)).toEqual([`${bad}/3`, `${bad}/1`]);
    expect(await found(`session:${bad}`)).toEqual([`${bad}/3`, `${bad}/1`]);
    expect(await found(`"days after the hole" session:${later}`)).toEqual([`${later}/1`]);
    await store.indexer.catchUp();
    expect([await blocksOf(bad), await blocksOf(later)]).toMatchObject([[{ places: 3 }], [{ places: 1 }]]);
  }
  expect(said.filter((fields) => JSON.stringify(fields).includes(bad))).toEqual([{ sessions: [bad] }]);
});

test("a body whose bytes are no zstd any more is searched for in vain, and keeps its day in the index", async () => {
  const id = await sessionOfOld(database, 50);
  await record(id, `{"k":"${"gnawed by mice ".repeat(100)}"}`);
  await record(id, '{"k":"gnawed by nobody"}');
  await database.query("SELECT place_for_search(1000)");
  await tamper("UPDATE bodies SET bytes = '\\x00' WHERE coding = 'zstd'");
  expect(await found(`gnawed session:${id}`)).toEqual([`${id}/2`]);
  await store.indexer.catchUp();
  expect(await found(`gnawed session:${id}`)).toEqual([`${id}/2`]);
  expect(await blocksOf(id)).toMatchObject([{ places: 2 }]);
});

test("a day of which the database takes no block keeps no later day from having its own", async () => {
  const [bad, later] = [await sessionOfOld(database, 45), await sessionOfOld(database, 20)];
  await record(bad, '{"k":"refused"}');
  await record(later, '{"k":"taken"}');
  await database.query(`ALTER TABLE search_blocks ADD CONSTRAINT broken CHECK (epoch <> epoch_of('${bad}')) NOT VALID`);
  const drop = () => database.query("ALTER TABLE search_blocks DROP CONSTRAINT IF EXISTS broken");
  onTestFinished(async () => void (await drop()));
  for (let round = 0; round < 2; round++)
    await expect(store.indexer.catchUp()).rejects.toThrow("the database did not answer");
  expect([await blocksOf(bad), await blocksOf(later)]).toMatchObject([[], [{ places: 1 }]]);
  expect(await found(`refused session:${bad}`)).toHaveLength(1);
  await drop();
  await store.indexer.catchUp();
  expect(await blocksOf(bad)).toMatchObject([{ places: 1 }]);
});

test("blocks of a day between which another one stands keep no later day's from being joined", async () => {
  const [gap, later] = [await sessionOfOld(database, 44), await sessionOfOld(database, 19)];
  const put = async (id: string, blocks: readonly (readonly [first: number, places: number, parts: number])[]) => {
    const [, last] = [blocks[0], blocks.at(-1)];
    await database.query("INSERT INTO search_epochs VALUES (epoch_of($1), $2, $2)", [
      id,
      (last?.[0] ?? 0) + (last?.[1] ?? 0),
    ]);
    for (const block of blocks)
      await database.query("INSERT INTO search_blocks VALUES (epoch_of($1), $2, $3, $4, now(), now(), 2)", [
        id,
        ...block,
      ]);
  };
  await put(gap, [
    [0, 8_192, 256],
    [8_192, 8_192, 256],
    [16_384, 8_192, 256],
    [24_576, 100, 32],
    [24_676, 8_192, 256],
  ]);
  await put(later, [
    [0, 8_192, 256],
    [8_192, 8_192, 256],
    [16_384, 8_192, 256],
    [24_576, 8_192, 256],
  ]);
  await store.indexer.catchUp();
  expect(await blocksOf(later)).toEqual([{ first: 0, places: 32_768, parts: 1_024 }]);
  expect(await blocksOf(gap)).toHaveLength(5);
});

test("a session that goes on for days has no block for each of its calls", async () => {
  const id = await sessionOfOld(database, 7);
  for (let n = 0; n < 40; n++) {
    await record(id, `{"k":"late ${n}"}`);
    await store.indexer.catchUp();
  }
  const blocks = await blocksOf(id);
  expect(blocks.reduce((sum, { places }) => sum + places, 0)).toBe(40);
  expect(blocks.length).toBeLessThan(10);
  for (const n of [0, 7, 8, 20, 39]) expect(await found(`"late ${n}" session:${id}`)).toContain(`${id}/${n + 1}`);
});

test("bodies that decode to much more than they are go into the index a few at a time, whatever their number", async () => {
  const id = await sessionOfOld(database, 90);
  const mebibyte = 2 ** 20;
  // One byte in 60: what expands more is not decoded at all.
  const much = gzipSync(
    Buffer.concat(Array.from({ length: 15 * 1_024 }, () => Buffer.concat([randomBytes(10), Buffer.alloc(1_014, " ")]))),
    { level: 1 },
  );
  for (let n = 0; n < 24; n++) {
    const bytes = Buffer.concat([gzipSync(`"swollen ${n}"`), much]);
    const body = { ...bodyOf(bytes), encoding: "gzip" };
    await store.sink.record(opening(id), () => closing({ response: { headers: [], body } }));
  }
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const looking = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 2);
  await store.indexer.catchUp();
  clearInterval(looking);
  expect(most).toBeGreaterThan(10 * mebibyte);
  // All together are 360.
  expect(most).toBeLessThan(180 * mebibyte);
  expect(await blocksOf(id)).toMatchObject([{ places: 24 }]);
});
