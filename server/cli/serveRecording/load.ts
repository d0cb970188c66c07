/** Opens a recording: an export file, or a session that a gateway is asked for and that then lies in a file nobody else sees. */

import { createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RecordedCall } from "../../journeys/recorded/call.ts";
import { Api, type ApiOptions, WrongUsage } from "../api.ts";
import { BadRecording } from "./badRecording.ts";
import { readCallLines } from "./callLines.ts";
import { placedLines } from "./placedLines.ts";
import { isProof, readProof } from "./proofFile.ts";

export type LoadRequest = ApiOptions & {
  /** Which session, of a file that holds several. */
  readonly session?: string;
};

export type Loaded = {
  /** `session 0199…`, for people. */
  readonly name: string;
  readonly calls: readonly RecordedCall[];
  /** Numbers that are missing between those that are there. */
  readonly gaps: readonly number[];
  close(): Promise<void>;
};

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
const isSession = new RegExp(`^(?:https?://\\S+/sessions/)?${uuid.source}/?$`, "i");

/** `source`: an id of a session, the address of its page, or a file. @throws WrongUsage, and GatewayError */
export async function loadRecording(source: string, request: LoadRequest, env: NodeJS.ProcessEnv): Promise<Loaded> {
  const id = isSession.test(source) ? (uuid.exec(source)?.[0]?.toLowerCase() ?? null) : null;
  const file = id === null ? await openFile(source) : await fetchSession(new Api(request, env), id);
  try {
    const wanted = id ?? request.session?.toLowerCase() ?? null;
    const calls = oneSession(await readCalls(file, id === null ? source : `session ${id}`), wanted);
    const session = calls[0]?.session_id ?? wanted ?? "";
    return { name: `session ${session}`, calls, gaps: gapsIn(calls), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const openFile = async (path: string): Promise<FileHandle> => {
  try {
    const file = await open(path, "r");
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new WrongUsage(
      `${path} is no file: write the id of a session, or a file of dogwatch export --format jsonl or --proof`,
    );
  } catch (error) {
    if (error instanceof WrongUsage) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new WrongUsage(`the recording cannot be read: ${reason}`);
  }
};

/** Only whoever has it open can read it: it has no name any more, and goes when it is closed. */
const fetchSession = async (api: Api, id: string): Promise<FileHandle> => {
  const folder = await mkdtemp(join(tmpdir(), "dogwatch-recording-"));
  try {
    const path = join(folder, "calls.jsonl");
    await pipeline(
      await api.stream(`/v1/sessions/${id}/export?format=jsonl`),
      createWriteStream(path, { mode: 0o600 }),
    );
    return await open(path, "r");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Every message says of which file. */
const readCalls = async (file: FileHandle, name: string): Promise<readonly RecordedCall[]> => {
  try {
    return (await beginsAsProof(file)) ? await readProof(file) : await readCallLines(file);
  } catch (error) {
    if (error instanceof BadRecording) throw new BadRecording(`${name}: ${error.message}`);
    throw error;
  }
};

const beginsAsProof = async (file: FileHandle): Promise<boolean> => {
  for await (const { text } of placedLines(file)) return text !== null && isProof(text);
  return false;
};

/** Two sessions are two orders of time, and one double cannot be in both. */
const oneSession = (calls: readonly RecordedCall[], wanted: string | null): readonly RecordedCall[] => {
  const sessions = [...new Set(calls.map(({ session_id }) => session_id))];
  const [only] = sessions;
  if (only === undefined) throw new WrongUsage("there is no call in this recording");
  if (wanted !== null && !sessions.includes(wanted))
    throw new WrongUsage(`there is no call of session ${wanted} in it; it holds ${listed(sessions)}`);
  if (wanted === null && sessions.length > 1)
    throw new WrongUsage(`it holds ${sessions.length} sessions: say which with --session, ${listed(sessions)}`);
  return calls.filter(({ session_id }) => session_id === (wanted ?? only));
};

const listed = (sessions: readonly string[]): string =>
  sessions.length > 5 ? `${sessions.slice(0, 5).join(", ")} and ${sessions.length - 5} more` : sessions.join(", ");

/** Calls count from 1 without gaps: a search that found some of them, or a hand that took one out, leaves one. */
const gapsIn = (calls: readonly RecordedCall[]): readonly number[] => {
  const there = new Set(calls.map(({ n }) => n));
  const gaps: number[] = [];
  const last = calls.reduce((most, { n }) => Math.max(most, n), 0);
  for (let n = 1; n <= last && gaps.length < mostGaps; n++) if (!there.has(n)) gaps.push(n);
  return gaps;
};
const mostGaps = 1_000;
