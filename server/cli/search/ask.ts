/** `dogwatch search`: asked of a running gateway, and shown so that nothing recorded moves the terminal. */

import { page, searchHit, type SearchHitJson } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { lineOf, searchMasked } from "../maskedValues/ask.ts";
import { counted, readable } from "../words.ts";
import { plainJsonLines } from "../../model/plainJson.ts";

export type SearchOptions = ApiOptions & { readonly masked?: string; readonly limit?: string; readonly json?: true };

const defaultLimit = 50;
const mostLimit = 2_000;
/** The gateway's own. */
const pageSize = 200;

export const search = (words: readonly string[], options: SearchOptions, env: NodeJS.ProcessEnv): Promise<Answer> => {
  const { masked, ...request } = options;
  if (masked === undefined) return searchCalls(words, options, env);
  if (words.length === 0) return searchMasked({ ...request, masked }, env);
  return explained(async () => {
    throw new WrongUsage("either words to search for, or --masked VALUE");
  });
};

const searchCalls = (words: readonly string[], options: SearchOptions, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const limit = readLimit(options.limit);
    const api = new Api(options, env);
    const { found, whole } = await readUpTo(api, words.join(" "), limit);
    const exitCode = found.length === 0 ? 1 : 0;
    if (options.json) return { exitCode, output: `${plainJsonLines(found)}\n` };
    const end = `${counted(found.length, "call")}${whole ? "" : ", the newest; there may be more"}`;
    return { exitCode, output: `${[...found.flatMap(linesOf), end].join("\n")}\n` };
  });

/** @throws WrongUsage */
const readLimit = (written: string | undefined): number => {
  const limit = written === undefined ? defaultLimit : /^\d{1,4}$/.test(written) ? Number(written) : 0;
  if (limit >= 1 && limit <= mostLimit) return limit;
  throw new WrongUsage(`--limit is a number from 1 to ${mostLimit}`);
};

/** Pages may be short: the gateway gives each only so much time. */
const readUpTo = async (
  api: Api,
  q: string,
  limit: number,
): Promise<{ readonly found: readonly SearchHitJson[]; readonly whole: boolean }> => {
  const found: SearchHitJson[] = [];
  for (let cursor: string | null = null; ; ) {
    const query = new URLSearchParams({ q, limit: String(Math.min(pageSize, limit - found.length)) });
    if (cursor !== null) query.set("cursor", cursor);
    const asked: { items: SearchHitJson[]; next_cursor: string | null } = await api.get(
      `/v1/search?${query.toString()}`,
      page(searchHit),
    );
    found.push(...asked.items);
    cursor = asked.next_cursor;
    if (cursor === null || found.length >= limit) return { found, whole: cursor === null };
  }
};

const linesOf = (hit: SearchHitJson): string[] => [
  lineOf(hit),
  ...hit.excerpts
    .filter(({ where }) => where !== "path" && where !== "operation")
    .map(({ where, text }) => `    ${where}: ${readable(text, 300)}`),
];
