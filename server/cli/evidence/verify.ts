/** `dogwatch verify FILE | --all`: a file is checked offline; everything that a gateway keeps is read from it and checked the same way. */

import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { type NoteKey, readVerifierKey } from "../../stages/seal/note.ts";
import { type Anchor, findAnchors } from "../../stages/seal/verify/anchor.ts";
import { hasFinding } from "../../stages/seal/verify/report.ts";
import { verifyProof } from "../../stages/seal/verify/verify.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { proofPath } from "./export.ts";
import { reportText } from "./reportText.ts";

export type VerifyRequest = ApiOptions & {
  readonly all?: true;
  readonly key?: readonly string[];
  readonly anchor?: readonly string[];
  readonly json?: true;
};

export const verifyRecordings = (
  file: string | undefined,
  request: VerifyRequest,
  env: NodeJS.ProcessEnv,
): Promise<Answer> =>
  explained(async () => {
    if ((file === undefined) === (request.all === undefined))
      throw new WrongUsage("name a file, or --all for a gateway");
    const keys = keysOf(request.key ?? [], env["DOGWATCH_LOG_KEY"]);
    const anchors = (request.anchor ?? []).flatMap(readAnchors);
    const source = file === undefined ? await fromGateway(request, env) : fromFile(file);
    const report = await verifyProof(createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY }), {
      keys,
      anchors,
    });
    const exitCode = hasFinding(report) ? 1 : 0;
    return { exitCode, output: request.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report) };
  });

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
    throw new WrongUsage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const fromFile = (file: string): Readable => {
  if (file === "-") return process.stdin;
  if (!existsSync(file)) throw new WrongUsage(`${file} is not there`);
  return createReadStream(file);
};

const fromGateway = async (request: VerifyRequest, env: NodeJS.ProcessEnv): Promise<Readable> =>
  Readable.from(await new Api(request, env).stream(proofPath([], true)));
