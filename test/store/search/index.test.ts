/** The index behind the receipts: it misses nothing, whoever feeds it and whatever is taken away. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import fc from "fast-check";
import { isQueryProblem, readQuery } from "../../../server/journeys/search/language.ts";
import { findPage } from "../../../server/journeys/search/search.ts";
import { readPlace } from "../../../server/journeys/search/place.ts";
import type { Place, Scope } from "../../../server/model/searched.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { epochOf } from "../../../server/store/epochs.ts";
import { type Questions, openRows } from "../../../server/store/rows.ts";
import { createCallSearch } from "../../../server/store/search/find.ts";
import { KeyGatherer, keysOfText, keysOfWord } from "../../../server/store/search/keys.ts";
import { BlockWriter, joinParts, markPlaces, partOf } from "../../../server/store/search/postings.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { startChild } from "../child.ts";
import { bodyOf, closing, lieFallow, newSession, opening, openSession, sessionOfOld } from "../specimens.ts";

describe("keys", () => {
  const gatherer = new KeyGatherer();
  const keysIn = (text: string): Set<number> => {
    gatherer.begin();
    gatherer.text(text);
    return new Set(gatherer.keys);
  };

  test("of whatever stands in a text are among the text's", () => {
    const piece = fc.string({
      unit: fc.constantFrom("a", "B", "7", "_", " ", ":", '"', "é", "İ", "日", "😀", "\ud800"),
      maxLength: 12,
    });
    fc.assert(
      fc.property(piece, piece, piece, (before, sought, after) => {
        // Half a character is another one beside its other half.
        fc.pre(`${before}${sought}${after}`.isWellFormed());
        const all = keysIn(`${before}${sought}${after}`);
        for (const key of keysOfText(sought)) expect(all).toContain(key);
        for (const key of keysOfWord(sought)) expect(keysIn(`${before} ${sought} ${after}`)).toContain(key);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("postings that were written, and joined with their neighbours', say the places that were put in", () => {
  const block = fc.array(fc.array(fc.nat(200_000), { maxLength: 8 }), { minLength: 8, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
      const writer = new BlockWriter();
      const expected = new Map<number, Set<number>>();
      let base = 0;
      const written = blocks.map((places) => {
        // What was begun and given up leaves nothing behind.
        writer.add(7, new Uint32Array([1, 2, 3, ...places.flat()]));
        writer.clear();
        for (const [place, keys] of places.entries()) {
          writer.add(place, new Uint32Array(keys));
          // Two bodies of one call come one after the other.
          writer.add(place, new Uint32Array(keys.slice(1)));
          for (const key of keys) expected.set(key, (expected.get(key) ?? new Set()).add(base + place));
        }
        const parts = writer.finish(4);
        const at = base;
        base += places.length;
        return { base: at, parts };
      });
      const joined = new Map<number, Buffer>();
      for (let part = 0; part < 4; part++) {
        const some = written.flatMap(({ base: at, parts }) => {
          const bytes = parts.get(part);
          return bytes === undefined ? [] : [{ base: at, bytes }];
        });
        for (const [into, bytes] of joinParts(some, 16)) joined.set(into, bytes);
      }
      for (const [key, places] of expected) {
        const bits = new Uint8Array(Math.ceil(base / 8));
        markPlaces(joined.get(partOf(key, 16)) ?? Buffer.alloc(0), key, bits);
        const marked = Array.from({ length: base }, (_, i) => i).filter(
          (i) => ((bits[i >>> 3] ?? 0) & (1 << (i & 7))) !== 0,
        );
        expect(marked).toEqual([...places].toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 100 },
  );
});

describe("in a database", () => {
  let database: FreshDatabase;
  let store: Store;
  const open = (): Promise<Store> =>
    openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
  beforeAll(async () => {
    database = await freshDatabase();
    store = await open();
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const record = async (session_id: string, texts: readonly string[], into = store): Promise<void> => {
    for (const text of texts)
      await into.sink.record(opening(session_id), () => closing({ response: { headers: [], body: bodyOf(text) } }));
  };
  const everything: Scope = { kind: "everything" };
  const find = async (
    q: string,
    { scope = everything, after = null, limit = 200 }: { scope?: Scope; after?: Place | null; limit?: number } = {},
  ) => {
    const query = readQuery(q, new Date());
    if (isQueryProblem(query)) throw new Error(query.message);
    return findPage(store, { query, scope, after, limit });
  };
  const found = async (q: string, scope: Scope = everything): Promise<string[]> =>
    (await find(q, { scope })).items.map(({ call }) => `${call.session_id}/${call.n}`);
  const blocks = () =>
    database.query<{ places: number; parts: number }>("SELECT places, parts FROM search_blocks ORDER BY epoch, first");

  test("a call is found before it is in a block, in a small block and in a large one, and exactly as often", async () => {
    const { id } = await openSession(store.sessions);
    const texts = Array.from(
      { length: 32 * 256 + 40 },
      (_, n) => `{"n":"seq${n}","even":${n % 2 === 0}${n % 500 === 7 ? ',"rare":"needle in here"' : ""}}`,
    );
    const work = texts.slice(0, 300);
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        record(
          id,
          work.filter((__, n) => n % 20 === i),
        ),
      ),
    );
    // Placed, not indexed.
    await database.query("SELECT place_for_search(1000)");
    expect(await blocks()).toEqual([]);
    expect(await found('"seq299"')).toHaveLength(1);
    expect(await found("needle")).toHaveLength(1);
    await store.indexer.catchUp();
    expect(await blocks()).toEqual([{ places: 256, parts: 16 }]);
    for (const n of [0, 7, 255, 256, 299]) expect(await found(`word:seq${n}`)).toHaveLength(1);
    expect(await found('"needle in"')).toHaveLength(1);
    const rest = texts.slice(300);
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) =>
        record(
          id,
          rest.filter((__, n) => n % 60 === i),
        ),
      ),
    );
    await store.indexer.catchUp();
    expect(await blocks()).toEqual([{ places: 32 * 256, parts: 256 }]);
    for (const n of [0, 7, 255, 256, 300, 4_000, 8_191, 8_192, 8_231])
      expect(await found(`word:seq${n}`)).toHaveLength(1);
    expect(await found('"needle in here"')).toHaveLength(17);
    expect(await found("needle OR seq1")).toHaveLength(200);
    expect(await found("nothing-like-it")).toEqual([]);
    expect(await found(`needle session:${id}`)).toHaveLength(17);
    expect(await found(`needle session:${randomUUID()}`)).toEqual([]);
    expect(await found("needle -operation:GetMonitor")).toEqual([]);
    const [gone] = await database.query<{ waiting: string }>("SELECT count(*) AS waiting FROM search_queue");
    expect(gone?.waiting).toBe("0");
  }, 120_000);

  test("pages follow one another without a gap or a repetition while calls are recorded and indexed", async () => {
    const { id } = await openSession(store.sessions);
    await record(
      id,
      Array.from({ length: 60 }, (_, n) => `{"page":"paged ${n}"}`),
    );
    await database.query("SELECT place_for_search(1000)");
    const seen: number[] = [];
    let after: Place | null = null;
    for (let round = 0; ; round++) {
      const page = await find(`paged session:${id}`, { after, limit: 7 });
      seen.push(...page.items.map(({ call }) => call.n));
      if (page.next_cursor === null) break;
      const next = readPlace(page.next_cursor);
      if (next === null || "code" in next) throw new Error("no cursor");
      after = next;
      await record(id, ['{"page":"paged later"}']);
      await store.indexer.catchUp();
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => 60 - i));
  });

  test("two gateways that feed it at the same time do nothing twice", async () => {
    const other = await open();
    try {
      const { id } = await openSession(store.sessions);
      await Promise.all(
        Array.from({ length: 30 }, async (_, i) =>
          record(
            id,
            Array.from({ length: 20 }, (__, n) => `{"both":"twin${i * 20 + n}"}`),
            i % 2 === 0 ? store : other,
          ),
        ),
      );
      // Whoever is slower has done its work in vain, and says so.
      await Promise.allSettled([store.indexer.catchUp(), other.indexer.catchUp(), store.indexer.catchUp()]);
      await store.indexer.catchUp();
      for (let n = 0; n < 600; n += 37) expect(await found(`word:twin${n}`)).toHaveLength(1);
      const [places] = await database.query<{ twice: string }>(
        "SELECT count(*) - count(DISTINCT (session_id, n)) AS twice FROM search_places",
      );
      expect(places?.twice).toBe("0");
    } finally {
      await other.close();
    }
  });

  test("calls of a gateway that was killed between their end and the index are found", async () => {
    const child = await startChild(["held", database.connectionString]);
    await child.end("SIGKILL");
    const { session = "" } = child.said;
    // Whoever speaks for it waits a moment whether it comes back.
    await vi.waitFor(
      async () => {
        await store.recover();
        await store.indexer.catchUp();
        expect(await found(`session:${session}`)).toEqual([`${session}/2`, `${session}/1`]);
      },
      { timeout: 30_000, interval: 200 },
    );
  });

  test("a block that could not be written is written later, and its calls are found meanwhile", async () => {
    const { id } = await openSession(store.sessions);
    await store.indexer.catchUp();
    const [tail] = await database.query<{ missing: number }>(
      "SELECT 256 - (places - indexed) AS missing FROM search_epochs WHERE epoch = epoch_of($1)",
      [id],
    );
    const texts = Array.from({ length: (tail?.missing ?? 0) + 20 }, (_, n) => `{"again":"anew${n}"}`);
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) =>
        record(
          id,
          texts.filter((__, n) => n % 10 === i),
        ),
      ),
    );
    await database.query("ALTER TABLE search_blocks ADD CONSTRAINT full_disk CHECK (false) NOT VALID");
    await expect(store.indexer.catchUp()).rejects.toThrow("the database did not answer");
    await expect(store.indexer.catchUp()).rejects.toThrow("the database did not answer");
    // Calls wait in the part that is looked through one by one.
    expect(await found("word:anew0")).toHaveLength(1);
    await database.query("ALTER TABLE search_blocks DROP CONSTRAINT full_disk");
    await store.indexer.catchUp();
    for (let n = 0; n < texts.length; n += 11) expect(await found(`word:anew${n}`)).toHaveLength(1);
  });

  test("bodies of a megabyte are looked through a few at a time, and others get their turn in between", async () => {
    const { id } = await store.sessions.open(newSession());
    const large = 24;
    await record(
      id,
      Array.from({ length: large }, (_, n) => `${n} ${"large ".repeat(174_000)}`),
    );
    await store.indexer.catchUp();
    let turns = 0;
    const counting = setImmediate(function count() {
      turns += 1;
      if (turns > 0) setImmediate(count).unref();
    });
    const together = new Map<number, number>();
    await store.callSearch.search(
      { wanted: "anything", scope: everything, withTexts: true, since: null, until: null, after: null, atOnce: 200 },
      ({ call, response }) => {
        if (call.session_id !== id) return true;
        expect(response).toContain("large large");
        together.set(turns, (together.get(turns) ?? 0) + 1);
        return false;
      },
    );
    turns = Number.NEGATIVE_INFINITY;
    clearImmediate(counting);
    expect([...together.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(0);
    expect(Math.max(...together.values())).toBeLessThanOrEqual(4);
  });

  test("only what the scope shows is found, in whatever way it is asked for, and it makes no page longer", async () => {
    const claims = (repository_id: string) =>
      newSession({
        caller: { ...newSession().caller, claims: { repository_id, repository: `acme/${repository_id}` } },
      });
    const [mine, theirs] = [await store.sessions.open(claims("70")), await store.sessions.open(claims("71"))];
    await record(theirs.id, ['{"k":"walled off"}']);
    await record(mine.id, ['{"k":"walled off"}']);
    await record(theirs.id, ['{"k":"walled off"}']);
    await store.indexer.catchUp();
    const scope: Scope = { kind: "repositories", repositories: [`${mine.caller.issuer} 70`] };
    for (const q of [
      "walled",
      '"walled off"',
      "walled -nothing",
      `walled OR session:${theirs.id}`,
      `session:${theirs.id} OR session:${mine.id}`,
    ])
      expect(await found(q, scope)).toEqual([`${mine.id}/1`]);
    for (const q of [`session:${theirs.id}`, "repo:acme/71", "repo:71"]) expect(await found(q, scope)).toEqual([]);
    expect(await found("walled", { kind: "repositories", repositories: ["https://elsewhere.example.com 70"] })).toEqual(
      [],
    );
    expect(await found("walled", { kind: "repositories", repositories: [] })).toEqual([]);
    expect(await find("walled", { scope, limit: 1 })).toMatchObject({
      items: [{ call: { session_id: mine.id } }],
      next_cursor: null,
    });
  });

  test("what the scope hides is not even looked up: the database is asked as much as where there is nothing", async () => {
    const of = (repository_id: string) => newSession({ caller: { ...newSession().caller, claims: { repository_id } } });
    const [mine, theirs] = [await store.sessions.open(of("72")), await store.sessions.open(of("73"))];
    await record(mine.id, ['{"k":"a hoard of mine"}']);
    for (let n = 0; n < 512; n += 32)
      await Promise.all(Array.from({ length: 32 }, () => record(theirs.id, [`{"k":"a hoard of theirs, ${n}"}`])));
    await store.indexer.catchUp();
    const rows = await openRows(database.connectionString);
    const questions = async (q: string, repository: string): Promise<number> => {
      let asked = 0;
      const counting = (db: Questions): Questions =>
        new Proxy(db, {
          get: (target, name) => {
            asked += 1;
            return Reflect.get(target, name) as unknown;
          },
        });
      const callSearch = createCallSearch(
        { ...rows, transact: (work) => rows.transact((db) => work(counting(db))) },
        () => 0,
      );
      const query = readQuery(q, new Date());
      if (isQueryProblem(query)) throw new Error(query.message);
      const scope: Scope = { kind: "repositories", repositories: [`${mine.caller.issuer} ${repository}`] };
      await findPage({ callSearch }, { query, scope, after: null, limit: 50 });
      return asked;
    };
    expect(await questions("theirs", "72")).toBe(await questions("nowhere", "72"));
    expect(await questions("theirs", "73")).toBeGreaterThan(await questions("theirs", "72"));
    expect(await found("mine", { kind: "repositories", repositories: [`${mine.caller.issuer} 72`] })).toHaveLength(1);
    await rows.close();
  });

  test("bodies that have expired are found no more, nor shown, and what their receipts say still is; then these are gone too", async () => {
    const old = await sessionOfOld(database, 120);
    await record(
      old,
      Array.from({ length: 300 }, (_, n) => `{"k":"perishable ${n}"}`),
    );
    await store.indexer.catchUp();
    expect(await found("perishable")).toHaveLength(200);
    expect((await find("perishable")).items[0]?.excerpts.map(({ where }) => where)).toEqual(["response"]);
    // Of a day that is over nothing waits for more to come.
    const [left] = await database.query<{ left: number }>(
      "SELECT places - indexed AS left FROM search_epochs WHERE epoch = epoch_of($1)",
      [old],
    );
    expect(left?.left).toBe(0);
    await lieFallow(database, old, 119);
    await store.retain({ bodies: 90 * 86_400_000, receipts: 400 * 86_400_000 });
    expect(
      await database.query("SELECT to_regclass(partition_name('search_body_parts', epoch_of($1))) AS t", [old]),
    ).toEqual([{ t: null }]);
    expect(await found("perishable")).toEqual([]);
    expect(await found(`perishable OR session:${old}`)).toHaveLength(200);
    expect(
      (await find(`getmonitor session:${old}`)).items
        .flatMap(({ excerpts }) => excerpts.map(({ text }) => text))
        .join(),
    ).not.toMatch(/perish/);
    await store.retain({ bodies: 90 * 86_400_000, receipts: 100 * 86_400_000 });
    expect(await found(`session:${old}`)).toEqual([]);
    expect(await database.query("SELECT FROM search_blocks WHERE epoch = epoch_of($1)", [old])).toEqual([]);
  });

  test("a session that is held stays in the index, and nothing of those beside it does", async () => {
    const [beside, held] = [await sessionOfOld(database, 130), await sessionOfOld(database, 130)];
    expect(epochOf(beside)).toBe(epochOf(held));
    for (let n = 0; n < 160; n += 1) {
      await record(beside, [n === 0 ? '{"k":"a jewel of both"}' : `{"k":"passing ${n}"}`]);
      await record(held, [n === 0 ? '{"k":"a jewel of both"}' : `{"k":"staying${n}"}`]);
    }
    for (const id of [beside, held]) await lieFallow(database, id, 129);
    await store.indexer.catchUp();
    const inBlocks = () =>
      database.query<{ all: boolean; places: number }>(
        "SELECT places = indexed AS all, places FROM search_epochs WHERE epoch = epoch_of($1)",
        [held],
      );
    const both = [`${held}/1`, `${beside}/1`];
    expect(await found("jewel")).toEqual(both);
    expect(await inBlocks()).toEqual([{ all: true, places: 320 }]);
    await store.sessions.hold(held, { by: "boss (admin)", reason: "INC-4711" });
    const isFound = async (): Promise<void> => {
      // The same bytes are still stored, for the one that is held.
      expect(await found("jewel")).toEqual([`${held}/1`]);
      expect(await found("passing")).toEqual([]);
      for (const n of [1, 57, 159]) expect(await found(`word:staying${n}`)).toEqual([`${held}/${n + 1}`]);
    };
    await store.retain({ bodies: 90 * 86_400_000, receipts: 400 * 86_400_000 });
    expect(await database.query("SELECT FROM search_body_parts WHERE epoch = epoch_of($1)", [held])).toEqual([]);
    await isFound();
    await store.indexer.catchUp();
    expect(await inBlocks()).toEqual([{ all: true, places: 320 }]);
    await isFound();
    expect(await found(`session:${beside}`)).toHaveLength(160);
    await store.retain({ bodies: 90 * 86_400_000, receipts: 100 * 86_400_000 });
    expect(await database.query("SELECT FROM search_places WHERE session_id = $1", [beside])).toEqual([]);
    await isFound();
    await store.indexer.catchUp();
    expect(await inBlocks()).toEqual([{ all: true, places: 320 }]);
    await isFound();
    expect(await found(`session:${beside}`)).toEqual([]);
    expect(await found(`session:${held}`)).toHaveLength(160);
    await store.sessions.release(held);
    await store.retain({ bodies: 90 * 86_400_000, receipts: 100 * 86_400_000 });
    expect(await found(`session:${held}`)).toEqual([]);
    for (const table of ["search_epochs", "search_blocks", "search_places", "search_receipt_parts"])
      expect(await database.query(`SELECT FROM ${table} WHERE epoch = epoch_of($1)`, [held])).toEqual([]);
  }, 120_000);
});
