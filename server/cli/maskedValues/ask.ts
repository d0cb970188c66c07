/** `dogwatch search --masked` and `dogwatch reveal`: asked of a running gateway. */

import { readFileSync } from "node:fs";
import { type CallJson, call, page, revealed } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, readPages, WrongUsage } from "../api.ts";
import { counted, readable } from "../words.ts";
import { plainJson, plainJsonLines } from "../../model/plainJson.ts";

export type MaskedRequest = ApiOptions & { readonly masked: string; readonly json?: true };
export type RevealRequest = ApiOptions & { readonly reason: string; readonly json?: true };

export const searchMasked = (request: MaskedRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const value = request.masked === "-" ? fromStandardInput() : request.masked;
    if (value === "") throw new WrongUsage("no value to search for");
    const api = new Api(request, env);
    const { found, whole } = await readPages((cursor) => {
      const asked = { value, limit: 200, ...(cursor !== null && { cursor }) };
      return api.post("/v1/masked-values/search", asked, page(call));
    });
    const exitCode = found.length === 0 ? 1 : 0;
    if (request.json) return { exitCode, output: `${plainJsonLines(found)}\n` };
    const end = `${counted(found.length, "call")}${whole ? "" : ", the newest; there are more"}`;
    return { exitCode, output: `${[...found.map(lineOf), end].join("\n")}\n` };
  });

/** Exit code 1 for a token that stands for nothing. */
export const revealValue = (token: string, request: RevealRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const body = { token, reason: request.reason };
    const found = await new Api(request, env).post("/v1/masked-values/reveal", body, revealed);
    return { exitCode: 0, output: request.json ? `${plainJson(found)}\n` : `${readable(found.value, 100_000)}\n` };
  });

const fromStandardInput = (): string => readFileSync(0, "utf8").replace(/\r?\n$/, "");

export const lineOf = ({ received_at, method, path, operation, status, url }: CallJson): string =>
  `${received_at}  ${status ?? "-"}  ${method} ${readable(path, 80)}  ${operation}  ${url}`;
