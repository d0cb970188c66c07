/** Goes through the index from the newest call to the oldest, and hands over those in which what is wanted may stand: whoever asked looks closer. */

import { setImmediate as turn } from "node:timers/promises";
import { sql } from "slonik";
import { z } from "zod";
import type { Place, Scope, SearchedCall, SearchedTexts } from "../../model/searched.ts";
import { count, type Questions, type Rows, time } from "../rows.ts";
import { candidates, planOf, type Slice, type Wanted } from "./narrow.ts";
import { inPieces, type KeptBody, keptBodies, nameOf, readSearched, readTexts, visible } from "./texts.ts";

export type SearchRequest = {
  readonly wanted: Wanted;
  readonly scope: Scope;
  /** Whether bodies are looked at. */
  readonly withTexts: boolean;
  /** Received from and before. */
  readonly since: Date | null;
  readonly until: Date | null;
  /** Begins with the call before this place; null: with the newest. */
  readonly after: Place | null;
  /** How many calls are looked at closely at first; then twice as many, and so on. */
  readonly atOnce: number;
};

/** Looks closer at a call; true when nothing more is wanted. */
export type Examine = (call: SearchedTexts, place: Place) => boolean;

export interface CallSearch {
  /** The place where it stopped, because it was told to or because its time was over; null when all was looked through. */
  search(request: SearchRequest, examine: Examine): Promise<Place | null>;
}

/** ms; then whoever asked gets what there is, and may go on from there. */
const budget = 1_500;
const mostAtOnce = 400;
const blocksAtOnce = 32;
const slicesAtOnce = 200;

export const createCallSearch = (rows: Rows, monotonic: () => number): CallSearch => ({
  search: (request, examine) =>
    rows.transact(async (db) => {
      // One picture for the whole search: blocks are joined meanwhile. And rows are found by key, whatever is known of the tables.
      await db.query(sql.type(z.object({}))`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`);
      await db.query(sql.type(z.object({}))`
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
          set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)`);
      return goThrough({ db, request, examine, deadline: monotonic() + budget, monotonic });
    }),
});

type Going = {
  readonly db: Questions;
  readonly request: SearchRequest;
  readonly examine: Examine;
  readonly deadline: number;
  readonly monotonic: () => number;
};

const sliceRow = z.object({
  epoch: count,
  first: count,
  places: count,
  parts: count.nullable(),
  since: time.nullable(),
  until: time.nullable(),
});

const goThrough = async (going: Going): Promise<Place | null> => {
  let { after } = going.request;
  let atOnce = going.request.atOnce;
  let blocks = 1;
  const plan = planOf(within(going.request));
  for (;;) {
    const slices = await listSlices(going, after);
    for (let at = 0; at < slices.length; at += blocks, blocks = Math.min(blocksAtOnce, blocks * 4)) {
      if (at > 0 && going.monotonic() > going.deadline) return after;
      const group = slices.slice(at, at + blocks);
      const places = await candidates(going.db, plan, group);
      const wanted = places.filter((place) => after === null || isBefore(place, after));
      for (let i = 0; i < wanted.length; i += atOnce, atOnce = Math.min(mostAtOnce, atOnce * 2)) {
        const piece = wanted.slice(i, i + atOnce);
        const end = await examineAll(going, piece);
        if (end !== null) return end;
        const last = piece.at(-1);
        if (last !== undefined && going.monotonic() > going.deadline) return last;
      }
      const end = group.at(-1);
      if (end !== undefined) after = { epoch: end.epoch, place: end.first };
    }
    if (slices.length < slicesAtOnce) return null;
  }
};

/** What others have is not looked up, let alone looked at: how long a search takes tells nothing of it. */
const within = ({ wanted, scope }: SearchRequest): Wanted =>
  scope.kind === "everything" ? wanted : { all: [{ repositories: scope.repositories }, wanted] };

const isBefore = (one: Place, other: Place): boolean =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.place < other.place);

const listSlices = async ({ db, request }: Going, after: Place | null): Promise<Slice[]> => {
  const { since, until } = request;
  const instant = (date: Date | null) =>
    date === null ? sql.fragment`NULL::timestamptz` : sql.fragment`${date.toISOString()}::timestamptz`;
  const begins = after === null ? sql.fragment`true` : sql.fragment`(epoch, first) < (${after.epoch}, ${after.place})`;
  const found = await db.any(sql.type(sliceRow)`
    SELECT epoch, first, places, parts, since, until FROM (
      SELECT epoch, indexed AS first, places - indexed AS places, NULL::int4 AS parts, NULL::timestamptz AS since, NULL::timestamptz AS until
      FROM search_epochs WHERE places > indexed
      UNION ALL SELECT epoch, first, places, parts, since, until FROM search_blocks
    ) slices
    WHERE ${begins} AND (until IS NULL OR ${instant(since)} IS NULL OR until >= ${instant(since)})
      AND (slices.since IS NULL OR ${instant(until)} IS NULL OR slices.since < ${instant(until)})
    ORDER BY epoch DESC, first DESC LIMIT ${slicesAtOnce}`);
  return [...found];
};

const placeRow = z.object({ epoch: count, place: count, session_id: z.uuid(), n: count });

/** The place at which it was told to stop. */
const examineAll = async (
  { db, request, examine, deadline, monotonic }: Going,
  places: readonly Place[],
): Promise<Place | null> => {
  const wanted = sql.unnest(
    places.map(({ epoch, place }) => [epoch, place]),
    ["int4", "int4"],
  );
  const named = await db.any(sql.type(placeRow)`
    SELECT p.epoch, p.place, p.session_id, p.n FROM ${wanted} AS w (epoch, place)
    JOIN search_places p ON p.epoch = w.epoch AND p.place = w.place JOIN sessions s ON s.id = p.session_id
    WHERE ${visible(request.scope)} ORDER BY p.epoch DESC, p.place DESC`);
  const calls = await readSearched(db, named);
  const found = named.flatMap(({ epoch, place, ...name }): Placed[] => {
    const call = calls.get(nameOf(name));
    return call === undefined ? [] : [{ call, kept: keptBodies(call.call), place: { epoch, place } }];
  });
  for (const few of request.withTexts ? inPieces(found, bodiesOf) : [found]) {
    const end = await examineFew({ db, request, examine }, few);
    if (end !== null) return end;
    const last = few.at(-1);
    // Calls of agents come in between.
    if (few.length < found.length) await turn();
    if (last !== undefined && few.length < found.length && monotonic() > deadline) return last.place;
  }
  return null;
};

type Placed = { readonly call: SearchedCall; readonly kept: ReturnType<typeof keptBodies>; readonly place: Place };

const bodiesOf = ({ kept }: Placed) => Object.values(kept).filter((body) => body !== null);

const examineFew = async (
  { db, request, examine }: Pick<Going, "db" | "request" | "examine">,
  few: readonly Placed[],
): Promise<Place | null> => {
  const texts = await readTexts(db, request.withTexts ? few.flatMap(bodiesOf) : []);
  const text = (body: KeptBody | null): string | null => (body === null ? null : (texts.get(body.id) ?? null));
  for (const { call, kept, place } of few)
    if (examine({ ...call, request: text(kept.request), response: text(kept.response) }, place)) return place;
  return null;
};
