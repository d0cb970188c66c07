/** `dogwatch export SESSION… --proof`, or `--format`: streamed from a gateway into a file, which only then gets its name. */

import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "../../errors.ts";
import type { ExportFormat } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { putAwayOnSignal } from "../stop.ts";

export type ExportRequest = ApiOptions & {
  readonly all?: true;
  readonly proof?: true;
  readonly format?: ExportFormat;
  readonly search?: string;
  readonly out?: string;
  readonly json?: true;
};

/** What the gateway takes at once. */
const mostSessions = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const exportSessions = (
  sessions: readonly string[],
  request: ExportRequest,
  env: NodeJS.ProcessEnv,
): Promise<Answer> =>
  explained(async () => {
    const source = await new Api(request, env).stream(exportPath(sessions, request));
    const { out } = request;
    if (out === undefined) {
      await unbroken(pipeline(source, process.stdout, { end: false }));
      return { exitCode: 0, output: "" };
    }
    const written = await writeWhole(source, out);
    return {
      exitCode: 0,
      output: request.json ? `${JSON.stringify({ file: out, bytes: written })}\n` : `${out}: ${written} bytes\n`,
    };
  });

/** @throws WrongUsage */
const exportPath = (sessions: readonly string[], { proof, format, search, all }: ExportRequest): string => {
  if ((proof === true) === (format !== undefined))
    throw new WrongUsage("say which: --proof, or --format har, jsonl or curl");
  if (format === undefined) {
    if (search !== undefined) throw new WrongUsage("--search goes with --format: a proof is of whole sessions");
    return proofPath(sessions, all);
  }
  if (all === true) throw new WrongUsage("--all goes with --proof; --search '' --format takes every call");
  const query = new URLSearchParams({ format });
  if (search !== undefined && sessions.length === 0) {
    query.set("q", search);
    return `/v1/search/export?${query.toString()}`;
  }
  const [id] = sessions;
  if (search !== undefined || sessions.length !== 1 || id === undefined)
    throw new WrongUsage("with --format, name one session by its id, or a search with --search");
  requireIds(sessions);
  return `/v1/sessions/${id}/export?${query.toString()}`;
};

/** @throws WrongUsage */
export const proofPath = (sessions: readonly string[], all: true | undefined): string => {
  if ((all === true) === sessions.length > 0) throw new WrongUsage("name sessions by their ids, or all with --all");
  requireIds(sessions);
  if (sessions.length > mostSessions)
    throw new WrongUsage(`at most ${mostSessions} sessions at once; --all takes any number`);
  const query: [string, string][] = all === true ? [["all", "true"]] : sessions.map((id) => ["session", id]);
  return `/v1/proof?${new URLSearchParams(query).toString()}`;
};

/** @throws WrongUsage */
export const requireIds = (sessions: readonly string[]): void => {
  const wrong = sessions.find((id) => !uuid.test(id));
  if (wrong !== undefined) throw new WrongUsage(`${JSON.stringify(wrong)} is no id of a session`);
};

/** Half an export must not pass for one, nor stay behind; another one may be written to the same place meanwhile. */
const writeWhole = async (source: AsyncIterable<Uint8Array>, out: string): Promise<number> => {
  const part = `${out}.${process.pid}.part`;
  const unheed = putAwayOnSignal(() => rm(part, { force: true }));
  const file = createWriteStream(part, { mode: 0o600 });
  try {
    await unbroken(pipeline(source, file));
    await rename(part, out);
    return file.bytesWritten;
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof GatewayError) throw error;
    throw new WrongUsage(`${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    unheed();
  }
};

const unbroken = async (flow: Promise<void>): Promise<void> => {
  try {
    await flow;
  } catch (error) {
    const isOurs = error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code)) && "path" in error;
    throw isOurs
      ? error
      : new GatewayError("upstream_unreachable", "the export broke off before its end", { cause: error });
  }
};
