/** Feeds the index behind the receipts: gives calls that have ended their places, and writes blocks of postings. Any gateway may do any step; each is done once. */

import { setImmediate as turn } from "node:timers/promises";
import { sql } from "slonik";
import { z } from "zod";
import { durationOf, magnitudeOf, receiptPieces, searchFields, type SearchedCall, valuesOf } from "../../model/searched.ts";
import type { Log } from "../../model/log.ts";
import { count, type Questions, type Rows } from "../rows.ts";
import { insertBlock, joinBlocks, type Parts, smallBlock, type TimedBlock } from "./blocks.ts";
import { KeyGatherer } from "./keys.ts";
import { BlockWriter } from "./postings.ts";
import { type CallName, type KeptBody, keptBodies, nameOf, readSearched, readTexts } from "./texts.ts";

export type IndexerParts = { readonly rows: Rows; readonly log: Log; readonly clock: () => Date };

const lookEvery = 500;
/** After something went wrong, ms. */
const pause = 2_000;
/** Batches that get their places in one commit. */
const batchesAtOnce = 16;
/** Calls that are looked through between two turns of the event loop. */
const callsAtOnce = 16;
/** Bodies whose keys are remembered: the same ones come again and again. */
const mostRemembered = 2_000;
const day = 86_400_000;

const placedRow = z.object({ placed: count });
const dueRow = z.object({ epoch: count, first: count, places: count });
const nameRow = z.object({ session_id: z.uuid(), n: count });

export class Indexer {
  readonly #parts: IndexerParts;
  readonly #gatherer = new KeyGatherer();
  readonly #writers = { receipt: new BlockWriter(), body: new BlockWriter() };
  readonly #keysOfBodies = new Map<string, Uint32Array>();
  #stopped = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: IndexerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  /** Until nothing is left to do now; for tests, and whoever cannot wait. */
  async catchUp(): Promise<void> {
    while (await this.#step());
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let wait = lookEvery;
      try {
        if (await this.#step()) wait = 0;
      } catch (error) {
        if (!this.#stopped) this.#parts.log.warn({ err: error }, "the search index waits for the database");
        wait = pause;
      }
      if (wait === 0) await turn();
      else if (!this.#stopped) await this.#sleep(wait);
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  /** True when there may be more: what can be found at once comes before what makes it quick. */
  async #step(): Promise<boolean> {
    const { rows, clock } = this.#parts;
    const placed = await rows.ask((db) =>
      db.oneFirst(sql.type(placedRow)`SELECT place_for_search(${batchesAtOnce}) AS placed`),
    );
    const today = Math.floor(clock().getTime() / day);
    const due = await rows.ask((db) => findDue(db, today));
    if (due !== null) {
      await this.#index(due);
      return true;
    }
    return placed > 0 || joinBlocks(rows, today);
  }

  async #index(due: Due): Promise<void> {
    const { rows } = this.#parts;
    const { epoch, first, places } = due;
    const names = await rows.ask((db) =>
      db.any(sql.type(nameRow)`
        SELECT session_id, n FROM search_places WHERE epoch = ${epoch} AND place >= ${first} AND place < ${first + places} ORDER BY place`),
    );
    const times: number[] = [];
    for (let at = 0; at < names.length; at += callsAtOnce) {
      const piece = names.slice(at, at + callsAtOnce);
      times.push(...(await this.#look(piece, at)));
      await turn();
    }
    const parts: Parts = {
      receipt: this.#writers.receipt.finish(smallBlock.parts),
      body: this.#writers.body.finish(smallBlock.parts),
    };
    const [since, until] = times.length === 0 ? [0, 0] : [Math.min(...times), Math.max(...times)];
    const block = { epoch, first, places, parts: smallBlock.parts, since: new Date(since), until: new Date(until) };
    await rows.transact((db) => keepBlock(db, block, parts));
  }

  /** Adds the postings of some calls; says when they were received. */
  async #look(names: readonly CallName[], at: number): Promise<number[]> {
    const { rows } = this.#parts;
    const found = await rows.ask((db) => readSearched(db, names));
    const bodies = [...found.values()].flatMap(({ call }) => {
      const { request, response } = keptBodies(call);
      return [request, response].filter((body) => body !== null);
    });
    await this.#learn(bodies);
    const times: number[] = [];
    for (const [i, name] of names.entries()) {
      const searched = found.get(nameOf(name));
      if (searched === undefined) continue;
      times.push(searched.call.received_at.getTime());
      this.#writers.receipt.add(at + i, this.#keysOfReceipt(searched));
      const { request, response } = keptBodies(searched.call);
      const keys = [request, response].flatMap((body) => this.#keysOfBodies.get(body?.id ?? "") ?? []);
      const [only] = keys;
      if (only !== undefined) this.#writers.body.add(at + i, keys.length === 1 ? only : union(keys));
    }
    return times;
  }

  #keysOfReceipt(searched: SearchedCall): Uint32Array {
    this.#gatherer.begin();
    for (const { text } of receiptPieces(searched)) this.#gatherer.text(text);
    for (const tag of tagsOf(searched)) this.#gatherer.tag(tag);
    return this.#gatherer.keys;
  }

  async #learn(bodies: readonly KeptBody[]): Promise<void> {
    if (this.#keysOfBodies.size > mostRemembered) this.#keysOfBodies.clear();
    const unknown = bodies.filter(({ id }) => !this.#keysOfBodies.has(id));
    if (unknown.length === 0) return;
    const texts = await this.#parts.rows.ask((db) => readTexts(db, unknown));
    for (const { id } of unknown) {
      this.#gatherer.begin();
      this.#gatherer.text(texts.get(id) ?? "");
      this.#keysOfBodies.set(id, this.#gatherer.keys.slice());
    }
  }
}

const union = (keys: readonly Uint32Array[]): Uint32Array => new Uint32Array(new Set(keys.flatMap((some) => [...some])));

/** What a receipt can be asked for by field; the same words as `Wanted` has. */
const tagsOf = (searched: SearchedCall): string[] => {
  const duration = durationOf(searched.call);
  return [
    ...searchFields.flatMap((field) => valuesOf(field, searched).map((value) => `${field}:${value}`)),
    ...(duration === null ? [] : [`magnitude:${magnitudeOf(duration)}`]),
  ];
};

type Due = z.infer<typeof dueRow>;

/** Places that make a small block, or the last ones of a day that is over. */
const findDue = (db: Questions, today: number): Promise<Due | null> =>
  db.maybeOne(sql.type(dueRow)`
    SELECT epoch, indexed AS first, least(places - indexed, ${smallBlock.places}) AS places FROM search_epochs
    WHERE places >= indexed + ${smallBlock.places} OR (epoch < ${today - 1} AND places > indexed) ORDER BY epoch LIMIT 1`);

const keepBlock = async (db: Questions, block: TimedBlock, parts: Parts): Promise<void> => {
  const { epoch, first, places } = block;
  const mine = await db.any(sql.type(z.object({ epoch: count }))`
    UPDATE search_epochs SET indexed = ${first + places} WHERE epoch = ${epoch} AND indexed = ${first} RETURNING epoch`);
  // Another gateway was quicker.
  if (mine.length === 1) await insertBlock(db, block, parts);
};
