/** `dogwatch verify FILE | --all`: a file is checked offline; everything that a gateway keeps is read from it and checked the same way. */

import { createReadStream, existsSync, readFileSync } from "node:fs";
import { duration } from "../../config/values.ts";
import { type NoteKey, readVerifierKey } from "../../stages/seal/note.ts";
import { type Anchor, findAnchors } from "../../stages/seal/verify/anchor.ts";
import { hasFinding } from "../../stages/seal/verify/report.ts";
import { type Kept, keptByDefault, type Trust } from "../../stages/seal/verify/trust.ts";
import { verifyProof } from "../../stages/seal/verify/verify.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { proofPath, requireIds } from "./export.ts";
import { linesOf } from "./lines.ts";
import { reportText } from "./reportText.ts";

export type VerifyRequest = ApiOptions & {
  /** Of a file: that it has to be of everything. */
  readonly all?: true;
  /** Ids of what was asked for. */
  readonly session?: readonly string[];
  readonly key?: readonly string[];
  readonly anchor?: readonly string[];
  readonly retentionBodies?: string;
  readonly retentionReceipts?: string;
  readonly json?: true;
};

export const verifyRecordings = (
  file: string | undefined,
  request: VerifyRequest,
  env: NodeJS.ProcessEnv,
): Promise<Answer> =>
  explained(async () => {
    const trust = trustOf(request, env);
    if (file === undefined && trust.wanted !== "all") throw new WrongUsage("name a file, or --all for a gateway");
    const source = file === undefined ? await new Api(request, env).stream(proofPath([], true)) : fromFile(file);
    const report = await verifyProof(linesOf(source), trust);
    const exitCode = hasFinding(report) ? 1 : 0;
    return { exitCode, output: request.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report) };
  });

const trustOf = (request: VerifyRequest, env: NodeJS.ProcessEnv): Trust => ({
  keys: keysOf(request.key ?? [], env["DOGWATCH_LOG_KEY"]),
  anchors: (request.anchor ?? []).flatMap(readAnchors),
  wanted: wantedOf(request),
  now: new Date(),
  kept: keptOf(request),
});

/** A file says itself what it is of, and nobody signed that: whoever asked knows better. */
const wantedOf = ({ all, session = [] }: VerifyRequest): Trust["wanted"] => {
  if (all === true && session.length > 0) throw new WrongUsage("either --all or --session");
  requireIds(session);
  if (all === true) return "all";
  return session.length > 0 ? session : null;
};

const keptOf = ({ retentionBodies, retentionReceipts }: VerifyRequest): Kept => ({
  bodies: durationOf("--retention-bodies", retentionBodies) ?? keptByDefault.bodies,
  receipts: durationOf("--retention-receipts", retentionReceipts) ?? keptByDefault.receipts,
});

const durationOf = (option: string, text: string | undefined): number | null => {
  if (text === undefined) return null;
  const parsed = duration().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new WrongUsage(`${option}: ${parsed.error.issues[0]?.message ?? "no duration"}`);
};

/** A key that came with the recordings would prove nothing: it is named by whoever verifies. */
const keysOf = (named: readonly string[], fromEnvironment: string | undefined): NoteKey[] => {
  const sources = named.length > 0 ? named : fromEnvironment === undefined ? [] : [fromEnvironment];
  if (sources.length === 0)
    throw new WrongUsage(
      "no key: name the log's public key, or a file with it, with --key (the gateway's log and GET /v1/log/key say it)",
    );
  return sources.flatMap((source) => {
    const lines = (existsSync(source) ? readText(source) : source).split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => {
      const key = readVerifierKey(line);
      // Not repeated: by mistake it could be the private one.
      if (key === null) throw new WrongUsage("--key: that is no public key of a log, and no file with one");
      return key;
    });
  });
};

const readAnchors = (file: string): readonly Anchor[] => {
  const found = findAnchors(file, readText(file));
  if (found.length === 0) throw new WrongUsage(`${file}: there is no checkpoint in it`);
  return found;
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
};

const fromFile = (file: string): AsyncIterable<Uint8Array> => {
  if (file === "-") return process.stdin;
  if (!existsSync(file)) throw new WrongUsage(`${file} is not there`);
  return piecesOf(file);
};

/** What cannot be read is nobody's forgery. @throws WrongUsage */
async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(file)) yield piece as Uint8Array;
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: string, error: unknown): WrongUsage =>
  new WrongUsage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
