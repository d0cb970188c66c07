/** Lines of `dogwatch export --proof`: receipts, and behind each of them its bodies piece by piece, whatever their size. */

import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { KeptBody, RecordedCall } from "../../journeys/recorded/call.ts";
import { type ProofLine, readLine } from "../../stages/seal/proofLines.ts";
import { saltedDigest } from "../../stages/seal/receipt.ts";
import { BadRecording, exportAgain, sayWhere } from "./badRecording.ts";
import { type Place, placedLines, readPlace } from "./placedLines.ts";
import { servedCall } from "./servedCall.ts";

const sealedBody = z.object({
  size: z.int(),
  content_type: z.string().nullable(),
  encoding: z.string().nullable(),
  truncated: z.boolean(),
  withheld: z.string().nullable(),
  digest: z.string(),
});
const receipt = servedCall(sealedBody);

type Side = "request" | "response";
type SealedBody = z.infer<typeof sealedBody>;
/** What the file holds of one body. */
type Pieces = { readonly places: Place[]; salt: Buffer | null; whole: boolean; bodyless: string | null };
type Sides = Readonly<Record<Side, Pieces>>;

/** Whether a file begins as such an export does. */
export const isProof = (firstLine: string): boolean => readLine(firstLine)?.kind === "header";

/** @throws BadRecording, which names the line. Whether anything was altered is for `dogwatch verify` to say. */
export async function readProof(file: FileHandle): Promise<readonly RecordedCall[]> {
  const calls: { readonly receipt: z.infer<typeof receipt>; readonly sides: Sides }[] = [];
  let ended = false;
  let count = 0;
  for await (const { number, place, text } of placedLines(file)) {
    const where = sayWhere(number);
    const line = text === null ? null : readLine(text);
    if (line === null) throw new BadRecording(`${where} is no line of an export with its proof: ${exportAgain}`);
    if (ended) throw new BadRecording(`${where} stands behind the end of the export: ${exportAgain}`);
    count += 1;
    if (line.kind === "end" && line.value.lines !== count)
      throw new BadRecording(
        `${where} says that there are ${line.value.lines} lines, and there are ${count}: ${exportAgain}`,
      );
    ended = line.kind === "end";
    if (line.kind === "receipt")
      calls.push({ receipt: receiptIn(line, where), sides: { request: noPieces(), response: noPieces() } });
    if (line.kind === "unreadable")
      throw new BadRecording(`${where}: call ${line.value.n} could not be read when it was exported`);
    if (line.kind === "body" || line.kind === "bodyless") note(line, { place, where, last: calls.at(-1) });
  }
  if (!ended) throw new BadRecording(`its end is missing, so the file was cut: ${exportAgain}`);
  return calls.map(({ receipt, sides }) => recorded(file, receipt, sides));
}

const receiptIn = ({ value }: Extract<ProofLine, { kind: "receipt" }>, where: string): z.infer<typeof receipt> => {
  const parsed = receipt.safeParse(value.receipt);
  if (parsed.success) return parsed.data;
  throw new BadRecording(
    `${where} is no receipt of a call (${parsed.error.issues[0]?.path.join(".")}): ${exportAgain}`,
  );
};

const noPieces = (): Pieces => ({ places: [], salt: null, whole: false, bodyless: null });

type Noted = {
  readonly place: Place;
  readonly where: string;
  readonly last: { readonly receipt: { readonly n: number }; readonly sides: Sides } | undefined;
};

const note = (
  { kind, value }: Extract<ProofLine, { kind: "body" | "bodyless" }>,
  { place, where, last }: Noted,
): void => {
  const pieces = last?.sides[value.side];
  if (
    last === undefined ||
    pieces === undefined ||
    last.receipt.n !== value.n ||
    pieces.whole ||
    pieces.bodyless !== null
  )
    throw new BadRecording(`${where} is a body that belongs to no call before it: ${exportAgain}`);
  if (kind === "bodyless") {
    pieces.bodyless = value.why;
    return;
  }
  pieces.places.push(place);
  pieces.salt = value.salt;
  pieces.whole = value.last;
};

const recorded = (file: FileHandle, line: z.infer<typeof receipt>, sides: Sides): RecordedCall => {
  const keep = (side: Side): KeptBody | null => {
    const body = line[side]?.body ?? null;
    if (body === null) return null;
    const pieces = sides[side];
    const { content_type, encoding, size } = body;
    return {
      content_type,
      encoding,
      size,
      missing: whyMissing(body, pieces),
      read: async () => readPieces(file, body, pieces),
    };
  };
  const { request: _request, response, ...rest } = line;
  return {
    ...rest,
    request: { body: keep("request") },
    response: response === null ? null : { headers: response.headers, body: keep("response") },
  };
};

/** The end of a sentence about the body. */
const whyMissing = ({ withheld, truncated, size }: SealedBody, { bodyless, whole }: Pieces): string | null => {
  if (bodyless === "expired") return "has expired";
  if (withheld !== null) return `was not recorded: ${withheld}`;
  if (truncated) return `was recorded only in part: it had ${size} bytes (limits.record)`;
  if (bodyless !== null) return `is ${bodyless === "lost" ? "lost" : "not kept"}`;
  return whole || size === 0 ? null : "is not in this export";
};

const readPieces = async (file: FileHandle, body: SealedBody, { places, salt }: Pieces): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for (const place of places) {
    const line = readLine(await readPlace(file, place));
    if (line?.kind === "body") pieces.push(line.value.bytes);
  }
  const bytes = Buffer.concat(pieces);
  const sha256 = createHash("sha256").update(bytes).digest();
  if (salt === null ? bytes.length === 0 : saltedDigest(salt, sha256) === body.digest) return bytes;
  throw new BadRecording("a body in the file is not the one that was recorded: dogwatch verify says what was altered");
};
