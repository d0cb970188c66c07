/** The gateway's own port, without a network in between, for what it sends itself; and what its answers say beside Datadog's. */

import { z } from "zod";
import type { CallNumber, HeaderList } from "../model/receipt.ts";

export type OwnLine = (request: LineRequest) => Promise<LineAnswer>;

export type LineRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Buffer | null;
};

/** `body`: null where there was more of it than anybody keeps. `header` by its name in small letters. */
export type LineAnswer = { readonly status: number; header(name: string): string | null; readonly body: Buffer | null };

/** `dogwatch-call: <session>/<n>` */
export function callNumberOf(answer: LineAnswer): CallNumber | null {
  const [, session_id, n] = /^([0-9a-f-]{36})\/(\d{1,9})$/.exec(answer.header("dogwatch-call") ?? "") ?? [];
  return session_id === undefined || n === undefined ? null : { session_id, n: Number(n) };
}

/** Of one that is too large nothing is kept. */
export const textOf = ({ body }: LineAnswer): string => body?.toString("utf8") ?? "";

/** Null for what is no JSON. */
export const jsonIn = (answer: LineAnswer): unknown => {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    return null;
  }
};

const complaints = z.object({ errors: z.array(z.string()) });

/** `{"errors": ["dogwatch: …"]}`, Datadog's shape: none where it has another. */
export const errorsIn = (answer: LineAnswer): readonly string[] => {
  const parsed = complaints.safeParse(jsonIn(answer));
  return parsed.success ? parsed.data.errors : [];
};

/** What the gateway itself says in it; empty where it says nothing. */
export const reasonIn = (answer: LineAnswer): string =>
  errorsIn(answer)
    .join("; ")
    .replace(/^dogwatch: /, "");
