/** Sends one call through the gateway's own data plane, as everybody's calls go: it is authenticated, decided, recorded and forwarded like them. */

import { keyPlaceholder } from "../../datadog/credentials.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { endToEnd, withLength } from "../../stages/forward/endToEnd.ts";
import { callNumberOf, type LineAnswer, type OwnLine, reasonIn } from "../ownLine.ts";

export type Sending = {
  readonly method: string;
  /** Datadog's name for it. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** As they were recorded. */
  readonly headers: HeaderList;
  readonly body: Buffer | null;
};

/** `own_n`: of the call in the replay's own session. */
export type Sent =
  | { readonly kind: "answered"; readonly own_n: number; readonly status: number; readonly answer: LineAnswer }
  | {
      readonly kind: "unanswered";
      readonly own_n: number | null;
      readonly status: number | null;
      readonly why: string;
    };

export async function sendCall(line: OwnLine, token: string, sending: Sending): Promise<Sent> {
  const { method, host, path, query, headers, body } = sending;
  const answer = await line({
    method,
    target: `/proxy/${host}${keyed(path, token)}${query === "" ? "" : `?${query}`}`,
    headers: [["DD-API-KEY", token], ...withLength(replayable(headers), body === null ? null : body.length)],
    body,
  }).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  if (answer instanceof Error) return { kind: "unanswered", own_n: null, status: null, why: answer.message };
  const { status } = answer;
  const own_n = callNumberOf(answer)?.n ?? null;
  const code = answer.header("dogwatch-error");
  if (code !== null || own_n === null) {
    const reason = reasonIn(answer);
    const said = reason === "" ? (code ?? status) : `${status}: ${reason}`;
    return { kind: "unanswered", own_n, status, why: `the gateway answered ${said}` };
  }
  return { kind: "answered", own_n, status, answer };
}

/** `/v1/input/{api_key}`: a path that is itself a place of keys. */
const keyed = (path: string, token: string): string =>
  path.replace(`/v1/input/${keyPlaceholder}`, `/v1/input/${token}`);

/** Said to whoever was asked then, and not by the call itself. */
const notAgain = new Set(["host", "expect", "prefer", "cookie", "content-length", "dd-api-key", "authorization"]);

const replayable = (headers: HeaderList): HeaderList =>
  endToEnd(headers).filter(([name]) => !notAgain.has(name.toLowerCase()));
