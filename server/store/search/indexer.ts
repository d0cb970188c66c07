/** Feeds the index behind the receipts: gives calls that have ended their places, and writes blocks of postings. Any gateway may do any step; each is done once. */

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { sql } from "slonik";
import { z } from "zod";
import {
  durationOf,
  highestMagnitude,
  magnitudeOf,
  receiptPieces,
  searchFields,
  type SearchedCall,
  valuesOf,
} from "../../model/searched.ts";
import { Trouble, type TroubleParts } from "../../model/trouble.ts";
import { count, type Questions, type Rows } from "../rows.ts";
import { type Days, findJoin, insertBlock, joinBlocks, type Parts, smallBlock, type TimedBlock } from "./blocks.ts";
import { KeyGatherer } from "./keys.ts";
import { BlockWriter } from "./postings.ts";
import { inPieces, type KeptBody, keptBodies, nameOf, readSearched, readTexts } from "./texts.ts";

export type IndexerParts = TroubleParts & { readonly rows: Rows; readonly clock: () => Date };

/** How long a call that has ended waits at most to be given its place, ms. */
const placeEvery = 250;
const indexEvery = 1_000;
/** After something went wrong, ms. */
const pause = 2_000;
/** Batches that get their places in one commit. */
const batchesAtOnce = 64;
/** Calls come first: of the time of this thread and of the database, one part in so many goes into blocks. */
const share = 5;
/** Calls that are read at once, and that are looked through between two turns of the event loop. */
const callsAtOnce = 64;
const callsOfTurn = 8;
/** Bodies whose keys are remembered: the same ones come again and again. */
const mostRemembered = 2_000;
const day = 86_400_000;

const placedRow = z.object({ placed: count });
const dueRow = z.object({ epoch: count, first: count, places: count });
const nameRow = z.object({ place: count, session_id: z.uuid(), n: count });
type Placed = z.infer<typeof nameRow>;

export class Indexer {
  readonly #parts: IndexerParts;
  readonly #gatherer = new KeyGatherer();
  readonly #writers = { receipt: new BlockWriter(), body: new BlockWriter() };
  readonly #keysOfBodies = new Map<string, Uint32Array>();
  readonly #stopped = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** Days at which something went wrong: they come after all others, and are tried again when nothing else is to be done. */
  readonly #failed = new Set<number>();
  #improving: Promise<boolean> | null = null;
  #hurried = false;

  constructor(parts: IndexerParts) {
    this.#parts = parts;
  }

  /** What can be found at once is one matter, what makes it quick is another: neither waits for the other. */
  start(): void {
    this.#running = Promise.all([
      this.#repeat(placeEvery, () => this.#place()),
      this.#repeat(indexEvery, () => this.#improve()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Until nothing is left to do now, at full speed: for whoever can do nothing before. Not beside `start`. */
  async catchUp(): Promise<void> {
    this.#hurried = true;
    while (await this.#place());
    while (await this.#improve());
  }

  /** `work` says whether there may be more of it. */
  async #repeat(every: number, work: () => Promise<boolean>): Promise<void> {
    const trouble = new Trouble(this.#parts, "the search index waits for the database");
    while (!this.#stopped.signal.aborted) {
      let wait = every;
      try {
        if (await work()) wait = 0;
        if (this.#failed.size === 0) trouble.worked();
      } catch (error) {
        if (!this.#stopped.signal.aborted) trouble.failed(error);
        wait = pause;
      }
      await this.#rest(wait);
    }
  }

  async #rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { ref: false, signal: this.#stopped.signal }).catch(() => undefined);
  }

  async #place(): Promise<boolean> {
    const placed = await this.#parts.rows.ask((db) =>
      db.oneFirst(sql.type(placedRow)`SELECT place_for_search(${batchesAtOnce}) AS placed`),
    );
    return placed > 0;
  }

  /** What is gathered is one block's: nobody begins another meanwhile. */
  #improve(): Promise<boolean> {
    this.#improving ??= this.#improveNow().finally(() => {
      this.#improving = null;
    });
    return this.#improving;
  }

  async #improveNow(): Promise<boolean> {
    const { rows, clock } = this.#parts;
    const days = { today: Math.floor(clock().getTime() / day), failed: [...this.#failed] };
    const due = await rows.ask((db) => findDue(db, days));
    if (due !== null && !this.#failed.has(due.epoch)) return this.#workAt(due.epoch, () => this.#index(due));
    const neighbours = await rows.ask((db) => findJoin(db, days));
    if (neighbours !== null && (due === null || !this.#failed.has(neighbours[0].epoch)))
      return this.#workAt(neighbours[0].epoch, () => this.#leisurely(() => joinBlocks(rows, neighbours)));
    return due !== null && this.#workAt(due.epoch, () => this.#index(due));
  }

  async #workAt(epoch: number, work: () => Promise<void>): Promise<true> {
    this.#failed.add(epoch);
    await work();
    this.#failed.delete(epoch);
    return true;
  }

  /** Rests afterwards in proportion to how long it took. */
  async #leisurely<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const done = await work();
    if (!this.#hurried) await this.#rest((performance.now() - began) * (share - 1));
    return done;
  }

  async #index(due: Due): Promise<void> {
    const { rows } = this.#parts;
    const { epoch, first, places } = due;
    const names = await rows.ask((db) =>
      db.any(sql.type(nameRow)`
        SELECT place, session_id, n FROM search_places WHERE epoch = ${epoch} AND place >= ${first} AND place < ${first + places} ORDER BY place`),
    );
    // What was gathered when something went wrong is not this block's.
    for (const writer of Object.values(this.#writers)) writer.clear();
    const times: number[] = [];
    for (let at = 0; at < names.length; at += callsAtOnce) {
      const piece = names.slice(at, at + callsAtOnce);
      times.push(...(await this.#leisurely(() => this.#look(piece, first))));
    }
    const parts: Parts = {
      receipt: this.#writers.receipt.finish(smallBlock.parts),
      body: this.#writers.body.finish(smallBlock.parts),
    };
    const [since, until] = times.length === 0 ? [0, 0] : [Math.min(...times), Math.max(...times)];
    const block = { epoch, first, places, parts: smallBlock.parts, since: new Date(since), until: new Date(until) };
    await rows.transact((db) => keepBlock(db, block, parts));
  }

  /** Adds the postings of some calls, by where they stand in the block: places of sessions that retention took are empty; says when they were received. */
  async #look(names: readonly Placed[], first: number): Promise<number[]> {
    const { rows } = this.#parts;
    const found = await rows.ask((db) => readSearched(db, names));
    await this.#tellMissing(names.filter((name) => !found.has(nameOf(name))));
    const bodies = [...found.values()].flatMap(({ call }) => {
      const { request, response } = keptBodies(call);
      return [request, response].filter((body) => body !== null);
    });
    await this.#learn(bodies);
    const times: number[] = [];
    for (const [i, name] of names.entries()) {
      if (i % callsOfTurn === 0) await turn();
      const searched = found.get(nameOf(name));
      if (searched === undefined) continue;
      times.push(searched.call.received_at.getTime());
      const at = name.place - first;
      this.#writers.receipt.add(at, this.#keysOfReceipt(searched));
      const { request, response } = keptBodies(searched.call);
      for (const body of [request, response]) {
        const keys = body === null ? undefined : this.#keysOfBodies.get(body.id);
        if (keys !== undefined) this.#writers.body.add(at, keys);
      }
    }
    return times;
  }

  /** Once for each block: a call whose session is there, and which cannot be read, is found by nobody. */
  async #tellMissing(names: readonly Placed[]): Promise<void> {
    if (names.length === 0) return;
    const ids = sql.array([...new Set(names.map(({ session_id }) => session_id))], "uuid");
    const there = await this.#parts.rows.ask((db) =>
      db.anyFirst(sql.type(z.object({ id: z.uuid() }))`SELECT id FROM sessions WHERE id = ANY (${ids})`),
    );
    if (there.length > 0)
      this.#parts.log.warn(
        { sessions: there },
        "calls of these sessions cannot be read, and are left out of the search index",
      );
  }

  #keysOfReceipt(searched: SearchedCall): Uint32Array {
    this.#gatherer.begin();
    for (const { text } of receiptPieces(searched)) this.#gatherer.text(text);
    for (const tag of tagsOf(searched)) this.#gatherer.tag(tag);
    if (searched.repository !== null) this.#gatherer.repository(searched.repository);
    return this.#gatherer.keys;
  }

  async #learn(bodies: readonly KeptBody[]): Promise<void> {
    if (this.#keysOfBodies.size > mostRemembered) this.#keysOfBodies.clear();
    const unknown = bodies.filter(({ id }) => !this.#keysOfBodies.has(id));
    if (unknown.length === 0) return;
    for (const few of inPieces(unknown, (body) => [body])) {
      const texts = await this.#parts.rows.ask((db) => readTexts(db, few));
      for (const [i, { id }] of few.entries()) {
        if (i % callsOfTurn === 0) await turn();
        this.#gatherer.begin();
        this.#gatherer.text(texts.get(id) ?? "");
        this.#keysOfBodies.set(id, this.#gatherer.keys.slice());
      }
    }
  }
}

/** What a receipt can be asked for by field; the same words as `Wanted` has. */
const tagsOf = (searched: SearchedCall): string[] => {
  const fields = searchFields.flatMap((field) => valuesOf(field, searched).map((value) => `${field}:${value}`));
  const duration = durationOf(searched.call);
  if (duration === null) return fields;
  const magnitude = Math.min(highestMagnitude, magnitudeOf(duration));
  const slower = Array.from({ length: magnitude + 1 }, (_, than) => `slower:${than}`);
  return [...fields, `magnitude:${magnitude}`, ...slower];
};

type Due = z.infer<typeof dueRow>;

/** Places that make a small block, or the last ones of a day that is over. */
const findDue = (db: Questions, { today, failed }: Days): Promise<Due | null> =>
  db.maybeOne(sql.type(dueRow)`
    SELECT epoch, indexed AS first, least(places - indexed, ${smallBlock.places}) AS places FROM search_epochs
    WHERE places >= indexed + ${smallBlock.places} OR (epoch < ${today - 1} AND places > indexed)
    ORDER BY epoch = ANY (${sql.array([...failed], "int4")}), epoch LIMIT 1`);

const keepBlock = async (db: Questions, block: TimedBlock, parts: Parts): Promise<void> => {
  const { epoch, first, places } = block;
  const mine = await db.any(sql.type(z.object({ epoch: count }))`
    UPDATE search_epochs SET indexed = ${first + places} WHERE epoch = ${epoch} AND indexed = ${first} RETURNING epoch`);
  // Another gateway was quicker.
  if (mine.length === 1) await insertBlock(db, block, parts);
};
