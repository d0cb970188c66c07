/** Masks whole bodies: decodes them, looks once for everything that either side hides, and encodes what changed again. */

import { codingsOf, decodeCodings, encodeCodings } from "../../model/coding.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { besideCoding, type Body, isUnreadable, readBody } from "./body/read.ts";
import { buildSide, type MaskedValue } from "./body/build.ts";
import { inRecording, inReply } from "./detect/detector.ts";
import {
  type Finding,
  type Found,
  holdsTooMuch,
  maskedOn,
  nothingFound,
  type Search,
  tooMuchSays,
} from "./findings.ts";
import { noFields } from "./json/fields.ts";
import type { Plan } from "./plan.ts";
import { bindPaced, bindTokens, type Sealing } from "./token/bind.ts";
import { isToken } from "./token/sealer.ts";
import { mayHoldToken } from "./token/text.ts";

/** As it travels: `bytes` in the codings that `headers` name. */
export type Message = { readonly headers: HeaderList; readonly bytes: Buffer };

/** `inspect`: bytes of a decoded body. */
export type MaskLimits = { readonly inspect: number };

export type MaskedBody =
  /** Nothing in it is masked: the bytes stay as they are. */
  | { readonly outcome: "untouched" }
  /** In the same codings; its length changed. */
  | { readonly outcome: "masked"; readonly bytes: Buffer; readonly values: readonly MaskedValue[] }
  /** A mask names what is no text in it: a reply with it cannot go out. */
  | { readonly outcome: "blocked"; readonly says: string }
  /** What stands in it nobody can tell: policy refuses it, or keeps its digest only. `says` ends a sentence about the body. */
  | { readonly outcome: "unreadable"; readonly says: string };

/** What people see of a body that had no codings; a string says why there is nothing to see, and ends a sentence about it. */
export const visibleIn = (masked: MaskedBody, bytes: Buffer): Buffer | string => {
  switch (masked.outcome) {
    case "untouched":
      return bytes;
    case "masked":
      return masked.bytes;
    case "blocked":
    case "unreadable":
      return masked.says;
    default:
      return masked satisfies never;
  }
};

const untouched: MaskedBody = { outcome: "untouched" };

/** For the caller and for the recording, from one look. `reply` is untouched where no mask applies to replies. */
export const maskResponse = async (
  plan: Plan,
  message: Message,
  { sealing, limits }: { readonly sealing: Sealing; readonly limits: MaskLimits },
): Promise<{ readonly reply: MaskedBody; readonly recording: MaskedBody }> => {
  if (message.bytes.length === 0) return { reply: untouched, recording: untouched };
  const read = await readMessage(plan.response, message, limits);
  if ("outcome" in read) return { reply: plan.masksReply ? read : untouched, recording: read };
  const recording = await maskSide(inRecording, read, sealing);
  if (!plan.masksReply) return { reply: untouched, recording };
  return {
    reply: isSameOnBothSides({ ...read.found, outside: read.outside })
      ? recording
      : await maskSide(inReply, read, sealing),
    recording,
  };
};

/** For the recording only: what the caller sends is sent. A token is recorded as it was sent, also where a secret is looked for. */
export const maskRequest = async (
  plan: Plan,
  message: Message,
  { sealing, limits }: { readonly sealing: Sealing; readonly limits: MaskLimits },
): Promise<MaskedBody> => {
  if (message.bytes.length === 0) return untouched;
  const read = await readMessage(plan.request, message, limits);
  if ("outcome" in read) return read;
  return maskSide(inRecording, { ...read, found: withoutTokens(read.found, sealing) }, sealing);
};

const withoutTokens = ({ findings, clashes, embedded }: Found, sealing: Sealing): Found => ({
  findings: findings.filter(({ text }) => !(mayHoldToken(text) && isToken(sealing.keys, text))),
  clashes,
  embedded: embedded.map((part) => ({ ...part, found: withoutTokens(part.found, sealing) })),
});

/** Our own answers, which quote what was sent: as `maskRequest`, for a body that has no coding and is never unreadable. */
export const maskOwnAnswer = (
  { request }: Plan,
  bytes: Buffer,
  sealing: Sealing,
): { bytes: Buffer; values: readonly MaskedValue[] } => {
  const found = nothingFound();
  readBody({ ...request, fields: noFields }, { bytes, contentType: "application/json" }, found);
  const built = buildSide(inRecording, { bytes, found }, bindTokens(sealing));
  return built === null || "blocked" in built ? { bytes, values: [] } : built;
};

/** `outside`: found in the fields of its codings, which have none when they are made anew. */
type ReadMessage = {
  readonly codings: readonly string[];
  readonly bytes: Buffer;
  readonly found: Found;
  readonly outside: readonly Finding[];
};

const readMessage = async (
  search: Search,
  { headers, bytes }: Message,
  limits: MaskLimits,
): Promise<ReadMessage | MaskedBody> => {
  if (isPiece(headers)) return { outcome: "unreadable", says: pieceSays };
  const codings = codingsOf(headers);
  const plain = await decodeCodings(bytes, codings, limits.inspect);
  if (!Buffer.isBuffer(plain)) return { outcome: "unreadable", says: plain.says };
  if (plain.length > limits.inspect)
    return { outcome: "unreadable", says: `it is larger than ${limits.inspect} bytes` };
  const found = nothingFound();
  const body: Body = { bytes: plain, contentType: contentTypeOf(headers) };
  const form = readBody(search, body, found);
  if (isUnreadable(form)) return { outcome: "unreadable", says: form.unreadable };
  if (holdsTooMuch(found)) return { outcome: "unreadable", says: tooMuchSays };
  return { codings, bytes: plain, found, outside: codings.length === 0 ? [] : besideCoding(search, bytes) };
};

/** As its field says; `` where there is none. */
export const contentTypeOf = (headers: HeaderList): string => fieldIn(headers, "content-type");

/** A range of a larger body (RFC 9110 §14): a value may be cut at either end of it, and the rest be asked for by itself. */
export const isPiece = (headers: HeaderList): boolean =>
  /^\s*\w+\s+\d/.test(fieldIn(headers, "content-range")) || /^\s*multipart\/byteranges/i.test(contentTypeOf(headers));

export const pieceSays = "it is a piece of a larger one";

const fieldIn = (headers: HeaderList, name: string): string =>
  headers.find(([field]) => field.toLowerCase() === name)?.[1] ?? "";

const maskSide = async (
  side: number,
  { codings, bytes, found, outside }: ReadMessage,
  sealing: Sealing,
): Promise<MaskedBody> => {
  const tokens = new Map<Finding, string>();
  await sealAll(side, { bytes, found }, { sealing, tokens });
  const built = buildSide(side, { bytes, found }, (_bytes, findings) =>
    findings.map((finding) => tokens.get(finding) ?? ""),
  );
  if (built !== null && "blocked" in built) return { outcome: "blocked", says: built.blocked };
  const beside = outside.filter(({ sides }) => (sides & side) !== 0).map(({ kind, text }) => ({ kind, text }));
  if (built === null && beside.length === 0) return untouched;
  const values = [...beside, ...(built?.values ?? [])];
  return { outcome: "masked", bytes: await encodeCodings(built?.bytes ?? bytes, codings), values };
};

/** A token for every finding that this side shows, also within what is embedded. */
const sealAll = async (
  side: number,
  { bytes, found }: { readonly bytes: Buffer; readonly found: Found },
  to: { readonly sealing: Sealing; readonly tokens: Map<Finding, string> },
): Promise<void> => {
  const { findings, embedded } = maskedOn(side, found);
  const tokens = findings.length === 0 ? [] : await bindPaced(to.sealing, bytes, findings);
  for (const [index, finding] of findings.entries()) to.tokens.set(finding, tokens[index] ?? "");
  for (const part of embedded) await sealAll(side, part, to);
};

/** Then the recording of an answer is what its caller got. */
const isSameOnBothSides = ({
  findings,
  clashes,
  embedded,
  outside = [],
}: Found & { readonly outside?: readonly Finding[] }): boolean =>
  clashes.length === 0 &&
  outside.every(isOnBoth) &&
  findings.every(isOnBoth) &&
  embedded.every((part) => isSameOnBothSides({ ...part.found, outside: part.outside }));

const isOnBoth = ({ sides }: Finding): boolean => sides === (inReply | inRecording);
