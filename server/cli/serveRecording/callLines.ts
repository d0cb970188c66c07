/** JSON Lines of calls, as `dogwatch export --format jsonl` writes them: line by line into calls whose bodies stay in the file. */

import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { z } from "zod";
import { body } from "../../contract.ts";
import type { KeptBody, RecordedCall } from "../../journeys/recorded/call.ts";
import { BadRecording, exportAgain, sayWhere } from "./badRecording.ts";
import { type Place, placedLines, readPlace } from "./placedLines.ts";
import { servedCall } from "./servedCall.ts";

const served = servedCall(body);

type Side = "request" | "response";
type BodyLine = z.infer<typeof body>;

/** @throws BadRecording, which names the line */
export async function readCallLines(file: FileHandle): Promise<readonly RecordedCall[]> {
  const calls: RecordedCall[] = [];
  const lines = new Map<string, number>();
  for await (const { number, place, text } of placedLines(file)) {
    if (text !== null && text.trim() === "") continue;
    const read = callIn(text, sayWhere(number));
    const id = `${read.session_id}/${read.n}`;
    const before = lines.get(id);
    if (before !== undefined)
      throw new BadRecording(`${sayWhere(number)} is call ${read.n} again, which is in line ${before}: ${exportAgain}`);
    lines.set(id, number);
    calls.push(recorded(read, { file, place, number }));
  }
  return calls;
}

/** `where`: `line 7` */
const callIn = (text: string | null, where: string): z.infer<typeof served> => {
  const parsed = served.safeParse(jsonIn(text, where));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join(".") ?? "";
  throw new BadRecording(
    `${where} is no call of an export${at === "" ? "" : ` (${at}: ${issue?.message})`}: ${exportAgain}`,
  );
};

const jsonIn = (text: string | null, where: string): unknown => {
  if (text === null) throw new BadRecording(`${where} is no UTF-8 text, or longer than any call: ${exportAgain}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRecording(`${where} is no JSON, or was cut: ${exportAgain}`);
  }
};

type Origin = { readonly file: FileHandle; readonly place: Place; readonly number: number };

const recorded = (line: z.infer<typeof served>, origin: Origin): RecordedCall => {
  const keep = (side: Side): KeptBody | null => {
    const kept = line[side]?.body ?? null;
    if (kept === null) return null;
    const missing = whyMissing(kept);
    if (missing === null) bytesOf(kept, sayWhere(origin.number));
    const { content_type, encoding, size } = kept;
    return { content_type, encoding, size, missing, read: async () => readAgain(origin, side) };
  };
  const { request: _request, response, ...rest } = line;
  return {
    ...rest,
    request: { body: keep("request") },
    response: response === null ? null : { headers: response.headers, body: keep("response") },
  };
};

/** The end of a sentence about the body. */
const whyMissing = ({ expired, withheld, truncated, size, text, base64 }: BodyLine): string | null => {
  if (expired) return "has expired";
  if (withheld !== null) return `was not recorded: ${withheld}`;
  if (truncated) return `was recorded only in part: it had ${size} bytes (limits.record)`;
  if (size === 0 || text !== undefined || base64 !== undefined) return null;
  return `is too large to stand in this export, it has ${size} bytes: dogwatch export --proof writes it whole`;
};

/** @throws BadRecording where they are not the bytes that the line says they are */
const bytesOf = ({ text, base64, sha256 }: BodyLine, where: string): Buffer => {
  const bytes = text === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(text, "utf8");
  if (sha256 === null || createHash("sha256").update(bytes).digest("hex") === sha256) return bytes;
  throw new BadRecording(`${where} holds a body that is not the one it was recorded with: ${exportAgain}`);
};

const readAgain = async ({ file, place, number }: Origin, side: Side): Promise<Buffer> => {
  const kept = callIn(await readPlace(file, place), sayWhere(number))[side]?.body ?? null;
  if (kept === null) throw new BadRecording(`${sayWhere(number)} was changed while it was served`);
  return bytesOf(kept, sayWhere(number));
};
