/** Finds what the active rules look for in a text: RE2's set says which rules hit, and only those are run, in windows of bounded size. */

import { RE2JS, RE2Set } from "re2js";
import { type Gate, gateOf } from "./gate.ts";
import { literalIn } from "./literal.ts";
import type { Rule } from "./rule.ts";
import { isAlphanumeric } from "./validators.ts";

/** Where what was found is masked: bits, so that one pass serves both. */
export const inReply = 1;
export const inRecording = 2;

/** In one body: to find, hold and seal this many takes a second. Of a body with more nobody looks further, and nothing of it is shown or kept. */
export const mostFindings = 100_000;

export const isFull = ({ length }: readonly unknown[]): boolean => length > mostFindings;

/** A rule in use. `kind` of a custom one is its own name. */
export type ActiveRule = Omit<Rule, "kind" | "note"> & {
  readonly kind: string;
  readonly sides: number;
  /** Somebody else's pattern: how often it matches is bounded, since how long it takes to match is not known. */
  readonly custom: boolean;
};

/** UTF-16 offsets into the text. */
export type Span = { readonly start: number; readonly end: number; readonly kind: string; readonly sides: number };

/** `gateFor`: the gate of a document of these bytes, which may hold nothing that somebody's own patterns need. */
export type Detector = {
  readonly gate: Gate;
  readonly gateFor: (document: Buffer) => Gate;
  readonly find: (text: string) => Span[];
};

/**
 * A long text is looked at piece by piece by the set, and by the rules that hit in steps: a match begins in a step and may end in the overlap
 * behind it. The bounds keep the time linear: the engine behind a single rule pays for the whole text it is given, each time it is asked for
 * the next match.
 */
const piece = 2_048;
const step = 512;
const overlap = 512;
/** What reaches the end of its window is looked at again with more behind it. */
const wider = [8_192, 65_536];
/** A custom pattern that matches more often than this in one piece is taken to mean the whole piece. */
const mostCustomMatches = 128;

/** The states that real bodies lead to take about 8 MiB; with less they are thrown away and made again, which costs more than the search. */
const automatonBytes = 48 * 2 ** 20;

type Compiled = { readonly rule: ActiveRule; readonly regex: RE2JS; readonly group: 0 | 1 };

/** Throws RE2JSSyntaxException on a pattern that RE2 does not know: configured ones are tried one by one before. */
export const buildDetector = (rules: readonly ActiveRule[]): Detector => {
  const set = new RE2Set(RE2Set.UNANCHORED, 0, automatonBytes);
  const compiled = rules.map((rule): Compiled => {
    set.add(loosen(rule.pattern));
    const regex = RE2JS.compile(rule.pattern);
    return { rule, regex, group: regex.groupCount() > 0 ? 1 : 0 };
  });
  if (rules.length > 0) set.compile();
  const gate = gateOf(new Set(rules.map(({ sign }) => sign)));
  return {
    gate,
    gateFor: gateForDocument(gate, rules),
    find: (text) => (rules.length === 0 ? [] : findAll(text, set, compiled)),
  };
};

/** Patterns without a sign make every text suspicious, unless each of them needs a piece of text that the document does not have. */
const gateForDocument = (gate: Gate, rules: readonly ActiveRule[]): Detector["gateFor"] => {
  const literals = rules.flatMap(({ sign, pattern }) => (sign === "any" ? [literalIn(pattern)] : []));
  const needed = literals.flatMap((literal) => (literal === null ? [] : [Buffer.from(literal)]));
  if (!gate.any || needed.length < literals.length) return () => gate;
  const closed = { ...gate, any: false };
  return (document) => (needed.some((literal) => document.includes(literal)) ? gate : closed);
};

const everySide = inReply | inRecording;

const findAll = (text: string, set: RE2Set, compiled: readonly Compiled[]): Span[] => {
  const found: Span[] = [];
  const word = { from: 0, to: 0 };
  // A short text is a single window, and its own string.
  if (text.length <= piece + overlap) {
    for (const hit of set.match(text))
      search(compiled[hit], { text, from: 0, until: text.length, end: text.length, word }, found);
    return found;
  }
  // How far the last value of each rule goes: a word as long as the body is matched once, and not at every step.
  const covered = compiled.map(() => 0);
  for (let from = 0; from < text.length; from += piece) {
    const end = Math.min(text.length, from + piece + overlap);
    // One character before, so that a word that began there is no new word here.
    for (const hit of set.match(text.slice(Math.max(0, from - 1), end)))
      for (let at = from; at < Math.min(text.length, from + piece); at += step) {
        const until = Math.min(text.length, at + step);
        const open = Math.max(at, covered[hit] ?? 0);
        if (open >= until) continue;
        const before = found.length;
        search(
          compiled[hit],
          { text, from: open, until, end: Math.min(text.length, at + step + overlap), word },
          found,
        );
        if (found.length > before) covered[hit] = found.at(-1)?.end ?? 0;
        // Nobody looks further: all that is left counts as one value, so that none in it is missed.
        if (isFull(found)) {
          found.push({ start: from, end: text.length, kind: compiled[hit]?.rule.kind ?? "", sides: everySide });
          return found;
        }
      }
  }
  return found;
};

/** Matches that begin at or after `from` and before `until` count; `end` is as far as the rule sees. `word`: the long word looked at last. */
type Window = {
  readonly text: string;
  readonly from: number;
  readonly until: number;
  readonly end: number;
  readonly word: { from: number; to: number };
};

const search = (compiled: Compiled | undefined, window: Window, found: Span[]): void => {
  if (compiled === undefined) return;
  const { rule, regex } = compiled;
  if (isWhole(compiled, window)) {
    const { text } = window;
    const sighting = { value: text, text, start: 0, end: text.length };
    if (rule.check === undefined || rule.check(sighting)) {
      found.push({ start: 0, end: text.length, kind: rule.kind, sides: rule.sides });
      return;
    }
  }
  const base = Math.max(0, window.from - 1);
  const matcher = regex.matcher(
    window.end - base === window.text.length ? window.text : window.text.slice(base, window.end),
  );
  let next = window.from - base;
  let matches = 0;
  while (next <= window.end - base && matcher.find(next)) {
    if (base + matcher.start() >= window.until) return;
    if (rule.custom && ++matches > mostCustomMatches) {
      found.push({ start: base + matcher.start(), end: window.until, kind: rule.kind, sides: rule.sides });
      return;
    }
    const match = complete(compiled, window, spanOf(compiled, matcher, base));
    const { text } = window;
    if (rule.check === undefined || rule.check({ ...match, value: text.slice(match.start, match.end), text })) {
      const end = wordEnd(window, rule.extend === undefined ? match.end : rule.extend(text, match.end));
      found.push({ start: match.start, end, kind: rule.kind, sides: rule.sides });
      next = Math.max(end - base, next + 1);
    } else {
      const behind = rule.overlapping === true ? nextWord(text, base + matcher.start()) : base + matcher.end();
      next = Math.max(behind - base, next + 1);
    }
  }
};

/** Most strings that hold something hold nothing else, and this question is answered ten times as fast as where in a text it is. */
const isWhole = ({ regex, group }: Compiled, { text, until }: Window): boolean =>
  group === 0 && until === text.length && text.length <= overlap && regex.testExact(text);

type Bounds = { readonly start: number; readonly end: number };

const spanOf = ({ group }: Compiled, matcher: ReturnType<RE2JS["matcher"]>, base: number): Bounds => {
  const chosen = group === 1 && matcher.start(1) >= 0 ? 1 : 0;
  return { start: base + matcher.start(chosen), end: base + matcher.end(chosen) };
};

/** The whole of a match that was cut off by its window. */
const complete = (compiled: Compiled, { text, end }: Window, match: Bounds): Bounds => {
  let whole = match;
  let seen = end;
  for (const width of wider) {
    if (whole.end < seen || seen === text.length) return whole;
    // A group begins behind its name; enough of that comes along.
    const base = Math.max(0, match.start - overlap);
    seen = Math.min(text.length, match.start + width);
    const matcher = compiled.regex.matcher(text.slice(base, seen));
    let from = 0;
    while (matcher.find(from)) {
      const again = spanOf(compiled, matcher, base);
      if (again.start === match.start) {
        whole = again.end > whole.end ? again : whole;
        break;
      }
      if (again.start > match.start) break;
      from = Math.max(matcher.end(), from + 1);
    }
  }
  return whole;
};

/** A token must not run into what follows it: the rest of the word goes with the value. */
const wordEnd = ({ text, word }: Window, end: number): number => {
  if (end === 0 || !isTokenCharacter(text.charCodeAt(end - 1))) return end;
  // A word as long as the body is walked once, however many matches are in it.
  if (end >= word.from && end < word.to) return word.to;
  let at = end;
  while (at < text.length && isTokenCharacter(text.charCodeAt(at))) at++;
  word.from = end;
  word.to = at;
  return at;
};

const isTokenCharacter = (code: number): boolean => isAlphanumeric(code) || code === 95 || code === 45;

/** Behind the word that begins at or runs through `at`. */
const nextWord = (text: string, at: number): number => {
  let next = at + 1;
  while (next < text.length && isAlphanumeric(text.charCodeAt(next - 1)) && isAlphanumeric(text.charCodeAt(next)))
    next++;
  return next;
};

/**
 * A pattern that matches whatever `pattern` matches and needs far fewer states: `{36,}` and `{32}` become `{8,}`. All rules together
 * would otherwise count characters for each other.
 */
export const loosen = (pattern: string): string => {
  let loose = "";
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? "";
    if (char === "\\") {
      // `\x{10FFFF}` and `\p{Greek}` have braces that count nothing.
      const braced = "xpP".includes(pattern[i + 1] ?? "") && pattern[i + 2] === "{";
      const end = braced ? pattern.indexOf("}", i) + 1 : i + 2;
      loose += pattern.slice(i, end);
      i = end - 1;
    } else if (!inClass && char === "{") {
      const end = pattern.indexOf("}", i);
      loose += loosenCount(pattern.slice(i, end + 1));
      i = end === -1 ? i : end;
    } else {
      if (char === "[" && !inClass) inClass = true;
      else if (char === "]" && inClass) inClass = false;
      loose += char;
    }
  }
  return loose;
};

const exact = 8;

const loosenCount = (written: string): string => {
  const [least = "", most = least] = written.slice(1, -1).split(",");
  if (least === "" || Number.isNaN(Number(least))) return written === "" ? "{" : written;
  if (Number(least) > exact) return `{${exact},}`;
  return most !== "" && Number(most) > exact ? `{${least},}` : written;
};
