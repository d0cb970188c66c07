/** Masks what stands beside the bodies of a call, for recordings: header fields, path, query, sentences. */

import type { MaskedValue } from "./body/build.ts";
import { readPairs } from "./body/form.ts";
import { inspectPiece, percentDecode } from "./body/piece.ts";
import { inRecording } from "./detect/detector.ts";
import { secretKind } from "./detect/names.ts";
import { type Found, maskedOn, nothingFound } from "./findings.ts";
import type { Step } from "./place/place.ts";
import type { Masking } from "./masking.ts";
import { noFields } from "./json/fields.ts";
import type { Masks } from "./plan.ts";
import { bindTokens } from "./token/bind.ts";

/** Such a text has a place of its own, which is no field of any resource: nothing that is sealed here is ever sent anywhere. */
const beside: Step = -3;

/** Names of query parameters whose value is a key or signs the URL, compared without case. */
const keyParameters =
  /^(?:api_?key|application_?key|dd-api-key|dd-application-key|sig|signature|x-amz-(?:signature|security-token|credential))$/i;

export const maskQuery = (masking: Masking, query: string, values: MaskedValue[]): string => {
  if (query === "") return query;
  const found = nothingFound();
  readPairs(masking.plan.request, { text: query, base: 0, path: [beside, "query"] }, found);
  for (const pair of pairsOf(query))
    if (keyParameters.test(nameOf(pair.name)) && pair.end > pair.start)
      found.findings.push({
        start: pair.start,
        end: pair.end,
        text: query.slice(pair.start, pair.end),
        kind: "secret-field",
        sides: inRecording,
        path: [beside, "query", pair.name],
        layers: ["form"],
      });
  return replaced(masking, query, { found, values });
};

/** As its reader sees it: without the encoding, and without the brackets of a list. */
const nameOf = (written: string): string =>
  (percentDecode(written)?.text ?? written).replace(/(?:\[[^[\]]*\])+$/, "").trim();

const pairsOf = (query: string): { readonly name: string; readonly start: number; readonly end: number }[] => {
  let at = 0;
  return query.split("&").map((pair) => {
    const equals = pair.indexOf("=");
    const start = at;
    at += pair.length + 1;
    return equals === -1
      ? { name: pair, start: start + pair.length, end: start + pair.length }
      : { name: pair.slice(0, equals), start: start + equals + 1, end: start + pair.length };
  });
};

/** Its keys are hidden already (`maskPath`). */
export const maskPathText = (masking: Masking, path: string, values: MaskedValue[]): string =>
  maskText(masking, path, { name: "path", values });

export const maskSentence = (masking: Masking, sentence: string, values: MaskedValue[]): string =>
  maskText(masking, sentence, { name: "sentence", values });

export const maskHeaderValue = (
  masking: Masking,
  { name, value }: { readonly name: string; readonly value: string },
  values: MaskedValue[],
): string => {
  const { plainFields } = masking.plain;
  const field = `${name}:${value}`;
  if (plainFields.has(field)) return value;
  const kind = secretKind(name, value);
  if (kind === null) {
    const masked = maskText(masking, value, { name, values });
    if (masked === value) plainFields.add(field);
    return masked;
  }
  const found = nothingFound();
  const path = [beside, "header", name.toLowerCase()];
  found.findings.push({ start: 0, end: value.length, text: value, kind, sides: inRecording, path, layers: [] });
  return replaced(masking, value, { found, values });
};

export const maskHeaderName = (masking: Masking, name: string, values: MaskedValue[]): string =>
  maskText(masking, name, { name: "header name", values });

/** With the kind in the place of each value, where no call is known that a token could belong to. */
export const hideIn = ({ requestDetector, names }: Masks, text: string): string => {
  const found = nothingFound();
  const search = { detector: requestDetector, names, decodes: true, fields: noFields };
  inspectPiece(search, { text, path: [], layers: [], depth: 0, rawOf: (at) => at }, found.findings);
  return maskedOn(inRecording, found).findings.reduceRight(
    (hidden, { start, end, kind }) => `${hidden.slice(0, start)}[${kind}]${hidden.slice(end)}`,
    text,
  );
};

const maskText = (
  masking: Masking,
  text: string,
  { name, values }: { readonly name: string; readonly values: MaskedValue[] },
): string => {
  const { plainTexts } = masking.plain;
  if (plainTexts.has(text)) return text;
  const found = nothingFound();
  const path = [beside, "text", name.toLowerCase()];
  inspectPiece(masking.plan.request, { text, path, layers: [], depth: 0, rawOf: (at) => at }, found.findings);
  if (found.findings.length === 0) plainTexts.add(text);
  return replaced(masking, text, { found, values });
};

/** Offsets are of characters here. */
const replaced = (
  { sealing }: Masking,
  text: string,
  { found, values }: { readonly found: Found; readonly values: MaskedValue[] },
): string => {
  if (found.findings.length === 0) return text;
  const { findings } = maskedOn(inRecording, found);
  const tokens = bindTokens(sealing)(nothing, findings);
  let masked = "";
  let at = 0;
  for (const [index, { start, end, kind, text: value }] of findings.entries()) {
    masked += text.slice(at, start) + (tokens[index] ?? "");
    at = end;
    values.push({ kind, text: value });
  }
  return masked + text.slice(at);
};

/** No body, and so no resource. */
const nothing = Buffer.alloc(0);
