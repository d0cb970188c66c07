/** Decides of each token in a request whether it stands where its value was read, and goes where that went. */

import { type Finding, keyStep } from "../findings.ts";
import type { Body } from "../body/read.ts";
import { Places, type Step } from "../place/place.ts";
import { layOut, type Layout, relative, type Resource } from "../place/resource.ts";
import { remembered, Surroundings } from "../place/surroundings.ts";
import type { Sealing } from "./bind.ts";
import { isDigestOfAll, mostDestinations, open, type Opened, valueOf } from "./sealer.ts";
import { findTokens, type Written } from "./text.ts";

/**
 * What became of one token in a request. `restored`: it stands for its value again. `foreign`: a real token, but of another field, resource,
 * kind, connection or session. `destination`: a field that decides where the value is sent is not as it was read. `altered`, `truncated`: it is
 * no token of this gateway any more. `unreturnable`: its value was too long to be kept in it, or all values together are too long.
 * `ambiguous`: two readers could understand the body differently.
 */
export type AttemptOutcome =
  | "restored"
  | "foreign"
  | "destination"
  | "altered"
  | "truncated"
  | "unreturnable"
  | "ambiguous";

/** One token as sent: what it says it is, and what opened. */
export type Sent = { readonly finding: Finding; readonly written: Written; readonly opened: Opened | "altered" };

/** `value`: what goes in its place, if anything does. */
export type Judgement = { readonly token: Sent; readonly outcome: AttemptOutcome; readonly value: string };

/** `partial`: the request changes only what it names (PATCH), so that a destination it leaves out stays as it was. */
export type Case = {
  readonly sealing: Sealing;
  readonly body: Body;
  readonly sent: readonly Sent[];
  readonly partial: boolean;
};

/** What is wrong with a token itself, wherever it stands. */
export const failureOf = ({ written, opened }: Sent): "altered" | "truncated" | null => {
  if (opened !== "altered") return null;
  return written.isCut ? "truncated" : "altered";
};

/** What the tokens of one resource are held against under one key; texts, which are compared at once. */
type Held = {
  readonly destinations: readonly string[];
  readonly isAll: boolean;
  readonly deciding: number;
  readonly beside: string | null;
};

/** Parameters of updates that say how, and not what. */
const harmless = new Set(["dry_run", "fields", "force", "include", "validate", "version"]);

const pairsOf = (query: string): { readonly name: string; readonly value: string }[] =>
  [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));

const textOf = (digest: Buffer): string => digest.toString("latin1");

/** Of all values of one request: a short token may stand for a long value, and be sent many times. */
const mostRestored = 32 * 2 ** 20;
const longestName = 65_536;

/** Taken apart as answers are, and where that leaves a token over, as the resource itself: both are ways in which it may have been read. */
export const judgeTokens = (all: Case): Judgement[] => {
  const outcomes = outcomesOf(all);
  let left = mostRestored;
  return all.sent.map((token, i) => {
    const outcome = outcomes[i] ?? "altered";
    if (!mayReturn(outcome) || token.opened === "altered") return { token, outcome, value: "" };
    const value = valueOf(token.opened, left);
    if (value === null) return { token, outcome: "unreturnable", value: "" };
    left -= value.length;
    return { token, outcome, value };
  });
};

const outcomesOf = (all: Case): readonly AttemptOutcome[] => {
  const { wrapper, outcomes } = readAs(all, { asItself: false });
  if (wrapper === "" || outcomes.every(mayReturn)) return outcomes;
  const asItself = readAs(all, { asItself: true }).outcomes;
  return asItself.filter(mayReturn).length > outcomes.filter(mayReturn).length ? asItself : outcomes;
};

/** A name that does not open where it stands is a name like any other: nothing may tell what it stands for. */
const readAs = (all: Case, { asItself }: { readonly asItself: boolean }): Judge => {
  const judge = new Judge(all, { asItself, translates: true });
  return judge.isMisnamed ? new Judge(all, { asItself, translates: false }) : judge;
};

const mayReturn = (outcome: AttemptOutcome): boolean => outcome === "restored" || outcome === "destination";

class Judge {
  readonly #case: Case;
  readonly #layout: Layout;
  /** One set of places for each key: a token was bound with the key that sealed it. */
  readonly #places: readonly Places[];
  readonly #surroundings: Surroundings;
  /** The resources under each key. */
  readonly #keys = new Map<Resource | null, readonly string[]>();
  /** By resource and key, once somebody asked: a body may have thousands of tokens. */
  readonly #held = new Map<Resource | null, Map<number, Held>>();
  readonly #translates: boolean;
  readonly #translated = new Map<string, string>();
  /** One for each token that was sent. */
  readonly outcomes: readonly AttemptOutcome[];
  isMisnamed = false;
  constructor(all: Case, { asItself, translates }: { readonly asItself: boolean; readonly translates: boolean }) {
    this.#case = all;
    this.#translates = translates;
    const { keys, call, family, query } = all.sealing;
    this.#places = keys.map((key) => new Places(key.places, call));
    const understand = (text: string): string => this.#translate(text);
    const { bytes } = all.body;
    this.#layout = layOut(bytes, { family, query, understand, asItself });
    this.#surroundings = new Surroundings({
      bytes,
      layout: this.#layout,
      masked: all.sent.map(({ finding: { start, end }, written: { kind } }) => ({ start, end, kind })),
      understand: (path) => this.#translatePath(path),
    });
    this.outcomes = this.#judge();
  }

  get wrapper(): string {
    return this.#layout.wrapper;
  }

  #judge(): AttemptOutcome[] {
    const first = this.#case.sent.map((token) => ({ token, outcome: this.#outcome(token) }));
    const misplaced = new Set<Resource | null>();
    const misled = new Set<Resource | null>();
    for (const { token, outcome } of first) {
      if (outcome === "restored") continue;
      // A member, or a whole resource, whose name does not open is not what was read under that name.
      if (this.#isName(token)) {
        misplaced.add(this.#resource(token));
        this.isMisnamed ||= !mayReturn(outcome);
      }
      // A destination that holds a token which does not open is no destination that was read.
      else if (this.#nth(token) !== null) misled.add(this.#resource(token));
    }
    return first.map(({ token, outcome }) => {
      if (!mayReturn(outcome)) return outcome;
      const resource = this.#resource(token);
      if (misplaced.has(resource) || misplaced.has(null)) return "foreign";
      return misled.has(resource) ? "destination" : outcome;
    });
  }

  #outcome(token: Sent): AttemptOutcome {
    const { finding, opened } = token;
    if (opened === "altered") return failureOf(token) ?? "altered";
    // In a form, in lines, in text nobody knows what decides where a value goes.
    if (this.#layout.document === null) return "foreign";
    const spot = relative(this.#layout, finding.start, this.#translatePath(finding.path));
    const keys = this.#keysOf(spot.resource);
    const nth = this.#nth(token) ?? 0;
    const paths = this.#wrappers(spot.resource).map((wrapper) => [wrapper, ...spot.path]);
    const key = this.#places.findIndex((places, i) =>
      paths.some((path) => places.value(keys[i] ?? "", path, nth).equals(opened.place)),
    );
    if (key === -1) return "foreign";
    return this.#isSameThing(spot.resource) && this.#isSameDestination(opened, this.#heldBy(spot.resource, key))
      ? "restored"
      : "destination";
  }

  /** What was read in a list or a wrapping is written as it was read, or by itself. */
  #wrappers(resource: Resource | null): readonly string[] {
    const { wrapper } = this.#layout;
    return wrapper !== "" || resource === null
      ? [resource === null ? "" : wrapper]
      : ["", "[]", ...this.#case.sealing.family.wrappers];
  }

  /** The query may say that something else is written than the path and the body do. */
  #isSameThing(resource: Resource | null): boolean {
    const { family, query } = this.#case.sealing;
    const told = resource?.told ?? family.parents;
    if (resource?.isClear === false) return false;
    if (query === "" || told.length === 0) return true;
    return pairsOf(query).every(({ name, value }) => told.includes(value) || harmless.has(name));
  }

  #isSameDestination({ destinations, deciding, beside }: Opened, now: Held): boolean {
    // What stands around the resource may be left out, and may not be another.
    if (now.beside !== null && (beside === null || textOf(beside) !== now.beside)) return false;
    if (now.isAll !== isDigestOfAll(destinations)) return false;
    const known = new Set(destinations.map(textOf));
    // What is new or changed may decide; of what is left out only what is known to.
    if (!now.destinations.every((digest) => known.has(digest))) return false;
    return now.isAll || this.#case.partial || now.deciding === deciding;
  }

  #heldBy(resource: Resource | null, key: number): Held {
    const ofResource = this.#held.get(resource) ?? new Map<number, Held>();
    this.#held.set(resource, ofResource);
    const known = ofResource.get(key) ?? this.#heldNow(resource, key);
    ofResource.set(key, known);
    return known;
  }

  #heldNow(resource: Resource | null, index: number): Held {
    const places = this.#places[index];
    if (places === undefined) throw new Error("no such key");
    const key = this.#keysOf(resource)[index] ?? "";
    const now = remembered(places, this.#surroundings.standing(resource), { key, most: mostDestinations });
    return {
      destinations: now.destinations.map(textOf),
      isAll: isDigestOfAll(now.destinations),
      deciding: now.deciding,
      beside: now.beside === null ? null : textOf(now.beside),
    };
  }

  #keysOf(resource: Resource | null): readonly string[] {
    const place = resource ?? this.#layout.outside;
    const keys = this.#keys.get(resource) ?? this.#places.map((places) => places.resource(place));
    this.#keys.set(resource, keys);
    return keys;
  }

  /** How many tokens stand before it in the same destination; null where it stands in none. */
  #nth(token: Sent): number | null {
    return this.#surroundings.nth(this.#resource(token), token.finding.start);
  }

  #resource({ finding }: Sent): Resource | null {
    return relative(this.#layout, finding.start, finding.path).resource;
  }

  /** A member's name, or what says which resource this is. */
  #isName({ finding }: Sent): boolean {
    if (finding.path.includes(keyStep)) return true;
    const { resource, path } = relative(this.#layout, finding.start, finding.path);
    const ids = this.#case.sealing.family.itemIds ?? [];
    return resource !== null && path.length === 1 && ids.includes(String(path[0]));
  }

  /** A member whose name is a token is the member that the name stands for. */
  #translatePath(path: readonly Step[]): Step[] {
    return path.map((step) => (typeof step === "string" ? this.#translate(step) : step));
  }

  #translate(text: string): string {
    if (!this.#translates) return text;
    const known = this.#translated.get(text);
    if (known !== undefined) return known;
    const [written, ...more] = findTokens(text, () => true);
    const opened = written === undefined || more.length > 0 ? "altered" : open(this.#case.sealing.keys, written);
    const value = opened === "altered" ? null : valueOf(opened, longestName);
    const meant =
      written === undefined || value === null ? text : text.slice(0, written.start) + value + text.slice(written.end);
    this.#translated.set(text, meant);
    return meant;
  }
}
