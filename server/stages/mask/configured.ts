/** Reads the masks of a configuration, or says what is wrong with each word of them. */

import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import type { Finding, MaskSource } from "../../model/config.ts";
import { suggest } from "../../model/nearest.ts";
import { inRecording, inReply } from "./detect/detector.ts";
import { groups, isGroup, isKind, isTokenKind, kindNames, kindsOf } from "./detect/kinds.ts";
import { isFieldPath, readFieldPath } from "./json/path.ts";
import type { Mask } from "./plan.ts";

/** Places are below `policy.masks`. */
export const readMasks = (sources: readonly MaskSource[]): readonly Mask[] | readonly Finding[] => {
  const findings = sources.flatMap((source, index) => faultsOf(sources, source, index));
  return findings.length > 0 ? findings : sources.map(maskOf);
};

export const areMasks = (read: readonly Mask[] | readonly Finding[]): read is readonly Mask[] =>
  read.every((item) => "sides" in item);

const maskOf = ({ name, detect, fields, detectors = [], where }: MaskSource): Mask => ({
  name,
  kinds: new Set(detect.flatMap((word) => (isGroup(word) ? kindsOf(word) : isKind(word) ? [word] : []))),
  custom: detectors,
  fields,
  sides: (where.includes("reply") ? inReply : 0) | (where.includes("recording") ? inRecording : 0),
});

const faultsOf = (sources: readonly MaskSource[], source: MaskSource, index: number): Finding[] => {
  const path = ["policy", "masks", index];
  const { detect, fields, detectors = [] } = source;
  const found: Finding[] = [
    ...detect.flatMap((word, at) =>
      wordFaults(word, detectors).map((message) => ({ path: [...path, "detect", at], message })),
    ),
    ...fields.flatMap((written, at) => {
      const read = readFieldPath(written);
      return isFieldPath(read) ? [] : [{ path: [...path, "fields", at], message: read.message, offset: read.offset }];
    }),
    ...detectors.flatMap((detector, at) => detectorFaults(detector, [...path, "detectors", at])),
    ...detectors.flatMap(({ name }, at) =>
      usedBefore(sources, name, { mask: index, at }).map((message) => ({
        path: [...path, "detectors", at, "name"],
        message,
      })),
    ),
  ];
  if (detect.length + fields.length + detectors.length === 0)
    found.push({ path, message: "masks nothing: name kinds in detect, paths in fields, or patterns in detectors" });
  return found;
};

const wordFaults = (word: string, detectors: readonly { readonly name: string }[]): string[] => {
  if (isGroup(word) || isKind(word)) return [];
  const own = detectors.map(({ name }) => name);
  if (own.includes(word)) return [];
  const nearest = suggest(word, [...groups, ...kindNames, ...own]);
  return [
    `${word} is no kind of value${nearest.startsWith("; did") ? nearest : `; the groups are ${groups.join(", ")}, docs/masks.md lists the kinds, and detectors: adds others`}`,
  ];
};

const detectorName = /^[a-z][a-z0-9-]{0,30}$/;
const longestPattern = 1_000;
const largestProgram = 2_000;

type CustomDetector = NonNullable<MaskSource["detectors"]>[number];

const detectorFaults = ({ name, pattern }: CustomDetector, path: readonly (string | number)[]): Finding[] => {
  const found: Finding[] = [];
  if (!detectorName.test(name))
    found.push({
      path: [...path, "name"],
      message: "must be lower case letters, digits and hyphens, beginning with a letter, at most 31",
    });
  else if (isGroup(name) || isTokenKind(name, new Set()))
    found.push({ path: [...path, "name"], message: `${name} is a kind that is built in; name it otherwise` });
  const fault = patternFault(pattern);
  if (fault !== undefined) found.push({ path: [...path, "pattern"], ...fault });
  return found;
};

const patternFault = (pattern: string): { readonly message: string; readonly offset?: number } | undefined => {
  if (pattern.length > longestPattern) return { message: `is longer than ${longestPattern} characters` };
  try {
    const regex = RE2JS.compile(pattern);
    if (regex.testExact("")) return { message: "matches the empty text, which is everywhere" };
    if (regex.groupCount() > 1)
      return { message: "has more than one group; what group 1 matches is masked, write others as (?:…)" };
    if (regex.programSize() > largestProgram)
      return { message: "is too large once its repetitions are written out; use smaller counts" };
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const part = error instanceof RE2JSSyntaxException ? (error.getPattern() ?? "") : "";
    const offset = part === "" ? -1 : pattern.indexOf(part);
    return {
      message: `is no regular expression of RE2 (${error.message}); lookaround and \\1 are not known`,
      ...(offset > 0 && { offset }),
    };
  }
};

const usedBefore = (
  sources: readonly MaskSource[],
  name: string,
  { mask, at }: { readonly mask: number; readonly at: number },
): string[] => {
  const isBefore = (otherMask: number, otherAt: number): boolean =>
    otherMask < mask || (otherMask === mask && otherAt < at);
  const twice = sources.some((other, otherMask) =>
    (other.detectors ?? []).some((detector, otherAt) => detector.name === name && isBefore(otherMask, otherAt)),
  );
  return twice ? [`${name} is used twice; every detector must have its own name`] : [];
};
