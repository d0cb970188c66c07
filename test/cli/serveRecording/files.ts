/** Export files as `dogwatch export --format jsonl` writes them, made up line by line. */

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { BodyJson, CallJson } from "../../../server/contract.ts";
import { callJson } from "../../standins/gateway.ts";

export const session = "0199c3a1-5f00-7000-8000-000000000001";

export const bodyJson = (text: string, more: Partial<BodyJson> = {}): BodyJson => ({
  size: Buffer.byteLength(text),
  sha256: createHash("sha256").update(text).digest("hex"),
  expired: false,
  content_type: "application/json",
  encoding: null,
  truncated: false,
  withheld: null,
  text,
  ...more,
});

/** A call that was answered with `gave`. */
export const callOf = (n: number, more: Partial<CallJson>, gave = `{"n":${n}}`): CallJson =>
  callJson(session, n, {
    response: { headers: [["content-type", "application/json"]], body: bodyJson(gave) },
    ...more,
  });

export const writeLines = (file: string, lines: readonly (object | string)[]): string => {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  writeFileSync(file, text.map((line) => `${line}\n`).join(""));
  return file;
};
