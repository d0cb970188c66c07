/** `dogwatch search --masked` and `dogwatch reveal`: asked of a running gateway. */

import { readFileSync } from "node:fs";
import { type CallJson, call, page, revealed } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { counted, readable } from "../words.ts";

export type SearchRequest = ApiOptions & { readonly masked: string; readonly json?: true };
export type RevealRequest = ApiOptions & { readonly reason: string; readonly json?: true };

/** Pages that are asked for at most: nobody reads on. */
const mostPages = 10;

export const searchMasked = (request: SearchRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const value = request.masked === "-" ? fromStandardInput() : request.masked;
    if (value === "") throw new WrongUsage("no value to search for");
    const { found, whole } = await readPages(new Api(request, env), value);
    const exitCode = found.length === 0 ? 1 : 0;
    if (request.json) return { exitCode, output: `${JSON.stringify(found, null, 2)}\n` };
    const end = `${counted(found.length, "call")}${whole ? "" : ", the newest; there are more"}`;
    return { exitCode, output: `${[...found.map(lineOf), end].join("\n")}\n` };
  });

/** Exit code 1 for a token that stands for nothing. */
export const revealValue = (token: string, request: RevealRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const body = { token, reason: request.reason };
    const found = await new Api(request, env).post("/v1/masked-values/reveal", body, revealed);
    return { exitCode: 0, output: request.json ? `${JSON.stringify(found)}\n` : `${readable(found.value, 100_000)}\n` };
  });

type CallPage = { readonly items: readonly CallJson[]; readonly next_cursor: string | null };

const fromStandardInput = (): string => readFileSync(0, "utf8").replace(/\r?\n$/, "");

async function readPages(
  api: Api,
  value: string,
): Promise<{ readonly found: readonly CallJson[]; readonly whole: boolean }> {
  const found: CallJson[] = [];
  let cursor: string | null = null;
  for (let read = 0; read < mostPages; read++) {
    const asked: object = { value, limit: 200, ...(cursor !== null && { cursor }) };
    const answered: CallPage = await api.post("/v1/masked-values/search", asked, page(call));
    found.push(...answered.items);
    cursor = answered.next_cursor;
    if (cursor === null) return { found, whole: true };
  }
  return { found, whole: false };
}

const lineOf = ({ received_at, method, path, operation, status, url }: CallJson): string =>
  `${received_at}  ${status ?? "-"}  ${method} ${readable(path, 80)}  ${operation}  ${url}`;
