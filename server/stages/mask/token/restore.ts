/** Turns tokens in what a caller sends back into what they stand for: each only at its own place, and none beside a changed destination. */

import { isUtf8 } from "node:buffer";
import type { Operation } from "../../../model/operation.ts";
import { readJson, UnreadableJson } from "../../../model/json.ts";
import { spliced } from "../body/build.ts";
import { type Body, type BodyForm, isUnreadable, readBody } from "../body/read.ts";
import type { Detector } from "../detect/detector.ts";
import { isTokenKind } from "../detect/kinds.ts";
import { gateOf } from "../detect/gate.ts";
import { type Finding, type Layer, nothingFound, type Search } from "../findings.ts";
import { noFields } from "../json/fields.ts";
import type { Sealing } from "./bind.ts";
import { type AttemptOutcome, failureOf, type Judgement, judgeTokens, type Sent } from "./judge.ts";
import { open } from "./sealer.ts";
import { findTokens, unescaped } from "./text.ts";

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
  readonly operation: Operation;
};

/** As many as one request may hold: to open each takes some ten microseconds, and other calls wait. */
export const mostReturned = 20_000;

/** `body`: decoded. Null where it holds more tokens than `mostReturned`: none was looked at. */
export const restoreTokens = (body: Body, { sealing, custom, operation }: RestoreContext): Restored | null => {
  const knows = (kind: string): boolean => isTokenKind(kind, custom);
  const found = nothingFound();
  const form = readBody(tokenSearch(knows), body, found);
  const findings = found.findings.toSorted((a, b) => a.start - b.start);
  if (findings.length === 0) return { bytes: null, onApproval: null, attempts: [] };
  if (findings.length > mostReturned) return null;
  const sent = findings.map((finding) => readSent(sealing, finding, knows));
  if (isUnreadable(form) || !isUnambiguous(form, body.bytes)) return refuseAll(sent, "ambiguous");
  if (creates(operation) || !saysJson(body.contentType)) return staying(sent);
  const judged = judgeTokens({ sealing, body, sent, partial: operation.method === "PATCH" });
  const opening = (opens: ReadonlySet<AttemptOutcome>): Buffer | null => {
    const splices = judged.flatMap((judgement) => {
      const { start, end } = judgement.token.finding;
      return opens.has(judgement.outcome) ? [{ start, end, with: restoredBytes(judgement) }] : [];
    });
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
  findTokens(unescaped(text), (kind) => isTokenKind(kind, custom)).map(({ kind, payload, isCut }) => ({
    kind,
    path: "",
    outcome: payload !== null ? "foreign" : isCut ? "truncated" : "altered",
  }));

const tokenSearch = (knows: (kind: string) => boolean): Search => {
  const gate = gateOf(new Set(["any"]));
  const detector: Detector = {
    gate,
    gateFor: () => gate,
    find: (text) => findTokens(text, knows).map(({ start, end, kind }) => ({ start, end, kind, sides: 1 })),
  };
  return { detector, fields: noFields, names: 0, decodes: false };
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

/** What is created was never read, whatever id the body says it has. A few operations change what is there by POST, and say so. */
const creates = ({ method, name }: Operation): boolean => method === "POST" && !/^(?:Update|Upsert)[A-Z]/.test(name);

/** Another reader could take the body for a form, or in another charset for another text. JSON is UTF-8 (RFC 8259 §8.1). */
const saysJson = (contentType: string): boolean => {
  const [essence = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  return (
    /^(?:|text\/json|application\/(?:[\w.-]+\+)?json)$/.test(essence) &&
    parameters.every((parameter) => !parameter.startsWith("charset") || /^charset="?utf-?8"?$/.test(parameter))
  );
};

const staying = (sent: readonly Sent[]): Restored => ({
  bytes: null,
  onApproval: null,
  attempts: sent.map((token) => ({ ...attemptOf(token), outcome: failureOf(token) ?? "foreign" })),
});

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
const restoredBytes = ({ token, value }: Judgement): Buffer =>
  Buffer.from(token.finding.layers.reduce(layered, value), "utf8");

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
