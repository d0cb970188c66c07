/** Turns tokens in what a caller sends back into what they stand for: each only at its own place, and none beside a changed destination. */

import { isUtf8 } from "node:buffer";
import { readJson, UnreadableJson } from "../../../model/json.ts";
import { spliced } from "../body/build.ts";
import { type Body, type BodyForm, isUnreadable, readBody } from "../body/read.ts";
import type { Detector } from "../detect/detector.ts";
import { isTokenKind } from "../detect/kinds.ts";
import { gateOf } from "../detect/gate.ts";
import { type Finding, type Layer, nothingFound, type Search } from "../findings.ts";
import { compileFields } from "../json/fields.ts";
import { type DestinationField, destinationsOf, sendsNothing } from "../place/destination.ts";
import { type Destination, Places, type Step } from "../place/place.ts";
import { type MaskedRange, standingIn, writtenAs } from "../place/remember.ts";
import { type Layout, layOut, relative, type Resource } from "../place/resource.ts";
import type { Sealing } from "./bind.ts";
import { isDigestOfAll, type Opened, open, mostDestinations } from "./sealer.ts";
import { findTokens, type Written } from "./text.ts";

/**
 * What became of one token in a request. `restored`: it stands for its value again. `foreign`: a real token, but of another field, resource,
 * kind, connection or session. `destination`: a field that decides where the value is sent is not as it was read. `altered`, `truncated`: it is
 * no token of this gateway any more. `unreturnable`: its value was too long to be kept in it. `ambiguous`: two readers could understand the body
 * differently.
 */
export type AttemptOutcome =
  | "restored"
  | "foreign"
  | "destination"
  | "altered"
  | "truncated"
  | "unreturnable"
  | "ambiguous";

/** `path`: where it stands, for people: `$.data.attributes.url`. */
export type Attempt = { readonly kind: string; readonly path: string; readonly outcome: AttemptOutcome };

/**
 * `bytes`: what goes on, and null where nothing turned back. `onApproval`: what goes on once people have agreed to where it goes; null where there
 * is nothing to agree to. Anything but `restored` among the attempts is for the caller to refuse or to record.
 */
export type Restored = {
  readonly bytes: Buffer | null;
  readonly onApproval: Buffer | null;
  readonly attempts: readonly Attempt[];
};

/** `custom`: names of own detectors. */
export type RestoreContext = {
  readonly sealing: Sealing;
  readonly custom: ReadonlySet<string>;
  readonly method: string;
};

/** `body`: decoded. */
export const restoreTokens = (body: Body, { sealing, custom, method }: RestoreContext): Restored => {
  const knows = (kind: string): boolean => isTokenKind(kind, custom);
  const found = nothingFound();
  const form = readBody(tokenSearch(knows), body, found);
  const findings = found.findings.toSorted((a, b) => a.start - b.start);
  if (findings.length === 0) return { bytes: null, onApproval: null, attempts: [] };
  const sent = findings.map((finding) => readSent(sealing, finding, knows));
  if (isUnreadable(form) || !isUnambiguous(form, body.bytes)) return refuseAll(sent, "ambiguous");
  // What is created was never read, whatever id the body says it has.
  if (method === "POST" && sealing.family.itemIds !== null) return createdFrom(sent);
  const judged = new Judge({ sealing, body, sent, partial: method === "PATCH" }).judge();
  const opening = (opens: ReadonlySet<AttemptOutcome>): Buffer | null => {
    const splices = judged.flatMap(({ token, outcome }) =>
      opens.has(outcome) ? [{ start: token.finding.start, end: token.finding.end, with: restoredBytes(token) }] : [],
    );
    return splices.length === 0 ? null : spliced(body.bytes, splices);
  };
  return {
    bytes: opening(atHome),
    onApproval: judged.some(({ outcome }) => outcome === "destination") ? opening(agreed) : null,
    attempts: judged.map(({ token, outcome }) => ({ ...attemptOf(token), outcome })),
  };
};

const atHome: ReadonlySet<AttemptOutcome> = new Set(["restored"]);
const agreed: ReadonlySet<AttemptOutcome> = new Set(["restored", "destination"]);

/** Tokens in what is no body: a path, a query, a header field. None of those is a place that a value was read at, so none turns back. */
export const findForeign = (text: string, custom: ReadonlySet<string>): readonly Attempt[] =>
  findTokens(text, (kind) => isTokenKind(kind, custom)).map(({ kind, payload, isCut }) => ({
    kind,
    path: "",
    outcome: payload !== null ? "foreign" : isCut ? "truncated" : "altered",
  }));

/** One token as sent: what it says it is, and what opened. */
type Sent = { readonly finding: Finding; readonly written: Written; readonly opened: Opened | "altered" };

type Judgement = { readonly token: Sent; readonly outcome: AttemptOutcome };

const tokenSearch = (knows: (kind: string) => boolean): Search => {
  const detector: Detector = {
    gate: gateOf(new Set(["any"])),
    find: (text) => findTokens(text, knows).map(({ start, end, kind }) => ({ start, end, kind, sides: 1 })),
  };
  return { detector, fields: compileFields([]), names: 0, decodes: false };
};

const readSent = ({ keys }: Sealing, finding: Finding, knows: (kind: string) => boolean): Sent => {
  const [written = { start: 0, end: 0, kind: finding.kind, payload: null, isCut: false }] = findTokens(
    finding.text,
    knows,
  );
  return { finding, written, opened: open(keys, written) };
};

const attemptOf = ({ finding, written }: Sent): Omit<Attempt, "outcome"> => ({
  kind: written.kind,
  path: ["$", ...finding.path.map((step) => (typeof step === "number" && step < 0 ? "(key)" : String(step)))].join("."),
});

const createdFrom = (sent: readonly Sent[]): Restored => ({
  bytes: null,
  onApproval: null,
  attempts: sent.map((token) => ({ ...attemptOf(token), outcome: failureOf(token) ?? "foreign" })),
});

/** What is wrong with a token itself, wherever it stands. */
const failureOf = ({ written, opened }: Sent): "altered" | "truncated" | null => {
  if (opened !== "altered") return null;
  return written.isCut ? "truncated" : "altered";
};

const refuseAll = (sent: readonly Sent[], outcome: AttemptOutcome): Restored => ({
  bytes: null,
  onApproval: null,
  attempts: sent.map((token) => ({ ...attemptOf(token), outcome })),
});

/** The same key twice, and some readers take the one, some the other: the value could go where nobody looked. */
const isUnambiguous = (form: BodyForm, bytes: Buffer): boolean => {
  if (form !== "json") return form !== "opaque";
  try {
    if (!isUtf8(bytes)) return false;
    readJson(bytes.toString("utf8"));
    return true;
  } catch (error) {
    if (error instanceof UnreadableJson) return false;
    throw error;
  }
};

/** Written as the place in the body wants it: inside a string of JSON, inside a form's value. */
const restoredBytes = ({ finding, opened }: Sent): Buffer => {
  const value = opened === "altered" ? "" : (opened.value ?? "");
  return Buffer.from(finding.layers.reduce(layered, value), "utf8");
};

const layered = (text: string, layer: Layer): string => {
  switch (layer) {
    case "json":
      return JSON.stringify(text).slice(1, -1);
    case "form":
      return encodeURIComponent(text.toWellFormed());
    default:
      return layer satisfies never;
  }
};

/** `partial`: the request changes only what it names (PATCH), so that a destination it leaves out stays as it was. */
type Case = {
  readonly sealing: Sealing;
  readonly body: Body;
  readonly sent: readonly Sent[];
  readonly partial: boolean;
};

/** What the tokens of one resource are held against: its destinations as sent, and the resource under each key. */
type Standing = {
  readonly fields: readonly DestinationField[];
  readonly written: readonly Destination[];
  /** By key, once somebody asked. */
  readonly digests: Map<number, readonly Buffer[]>;
  readonly keys: readonly string[];
};

class Judge {
  readonly #case: Case;
  readonly #layout: Layout;
  /** One set of places for each key: a token was bound with the key that sealed it. */
  readonly #places: readonly Places[];
  readonly #masked: readonly MaskedRange[];
  readonly #standings = new Map<Resource | null, Standing>();
  readonly #translated = new Map<string, string>();
  constructor(all: Case) {
    this.#case = all;
    const { keys, call, family } = all.sealing;
    this.#places = keys.map((key) => new Places(key.places, call));
    this.#masked = all.sent.map(({ finding, written }) => ({
      start: finding.start,
      end: finding.end,
      kind: written.kind,
    }));
    this.#layout = layOut(all.body.bytes, family, (text) => this.#translate(text));
  }

  judge(): Judgement[] {
    const first = this.#case.sent.map((token) => ({ token, outcome: this.#outcome(token) }));
    // A destination that holds a token which does not open is no destination that was read.
    const spoiled = new Set<Resource | null>();
    for (const { token, outcome } of first)
      if (outcome !== "restored" && this.#nth(token) !== null) spoiled.add(this.#resource(token));
    return first.map(({ token, outcome }) =>
      outcome === "restored" && spoiled.has(this.#resource(token))
        ? { token, outcome: "destination" }
        : { token, outcome },
    );
  }

  #outcome(token: Sent): AttemptOutcome {
    const { finding, opened } = token;
    if (opened === "altered") return failureOf(token) ?? "altered";
    const spot = relative(this.#layout, finding.start, this.#translatePath(finding.path));
    const standing = this.#standing(spot.resource);
    const nth = this.#nth(token) ?? 0;
    const key = this.#places.findIndex((places, i) =>
      places.value(standing.keys[i] ?? "", spot.path, nth).equals(opened.place),
    );
    if (key === -1) return "foreign";
    if (opened.value === null) return "unreturnable";
    return this.#isSameDestination(standing, opened, key) ? "restored" : "destination";
  }

  #isSameDestination({ written, keys, digests }: Standing, { destinations }: Opened, key: number): boolean {
    const places = this.#places[key];
    if (places === undefined) return false;
    const resource = keys[key] ?? "";
    if (isDigestOfAll(destinations))
      return (
        written.length > mostDestinations && destinations[0]?.equals(places.destinations(resource, written)) === true
      );
    if (written.length > mostDestinations) return false;
    const isKnown = (digest: Buffer): boolean => destinations.some((remembered) => remembered.equals(digest));
    const present = digests.get(key) ?? written.map((destination) => places.destination(resource, destination));
    digests.set(key, present);
    return present.every(isKnown) && (this.#case.partial || present.length === destinations.length);
  }

  #standing(resource: Resource | null): Standing {
    const known = this.#standings.get(resource);
    if (known !== undefined) return known;
    const { bytes } = this.#case.body;
    const place = resource ?? this.#layout.outside;
    const keys = this.#places.map((places) => places.resource(place));
    const isSent = resource !== null && !sendsNothing(resource.family);
    const fields = isSent ? destinationsOf(bytes.subarray(resource.start, resource.end)) : [];
    const written = fields.flatMap((field) => {
      const path = this.#translatePath(field.path);
      return writtenAs(bytes, { ...field, path, base: resource?.start ?? 0 }, this.#masked) ?? [];
    });
    const standing = { fields, written, keys, digests: new Map() };
    this.#standings.set(resource, standing);
    return standing;
  }

  /** How many tokens stand before it in the same destination; null where it stands in none. */
  #nth(token: Pick<Sent, "finding">): number | null {
    const { finding } = token;
    const resource = this.#resource(token);
    const { fields } = this.#standing(resource);
    return standingIn(fields, resource?.start ?? 0, { start: finding.start, masked: this.#masked });
  }

  #resource({ finding }: Pick<Sent, "finding">): Resource | null {
    return relative(this.#layout, finding.start, finding.path).resource;
  }

  /** A member whose name is a token is the member that the name stands for. */
  #translatePath(path: readonly Step[]): Step[] {
    return path.map((step) => (typeof step === "string" ? this.#translate(step) : step));
  }

  #translate(text: string): string {
    const known = this.#translated.get(text);
    if (known !== undefined) return known;
    const [written, ...more] = findTokens(text, () => true);
    const opened = written === undefined || more.length > 0 ? "altered" : open(this.#case.sealing.keys, written);
    const meant =
      written === undefined || opened === "altered" || opened.value === null
        ? text
        : text.slice(0, written.start) + opened.value + text.slice(written.end);
    this.#translated.set(text, meant);
    return meant;
  }
}
