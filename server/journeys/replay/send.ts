/** Sends one call through the gateway's own data plane, as everybody's calls go: it is authenticated, decided, recorded and forwarded like them. */

import { keyPlaceholder } from "../../datadog/credentials.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { endToEnd, withLength } from "../../stages/forward/endToEnd.ts";

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

/** The gateway's own port, without a network in between. */
export type OwnLine = (request: LineRequest) => Promise<LineAnswer>;

export type LineRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Buffer | null;
};

/** `body`: null where there was more of it than anybody keeps. `header` by its name in small letters. */
export type LineAnswer = { readonly status: number; header(name: string): string | null; readonly body: Buffer | null };

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
  const own_n = numberIn(answer.header("dogwatch-call"));
  const code = answer.header("dogwatch-error");
  if (code !== null || own_n === null)
    return { kind: "unanswered", own_n, status, why: `the gateway answered ${complaintIn(answer) ?? code ?? status}` };
  return { kind: "answered", own_n, status, answer };
}

/** `/v1/input/{api_key}`: a path that is itself a place of keys. */
const keyed = (path: string, token: string): string =>
  path.replace(`/v1/input/${keyPlaceholder}`, `/v1/input/${token}`);

/** Said to whoever was asked then, and not by the call itself. */
const notAgain = new Set(["host", "expect", "prefer", "cookie", "content-length", "dd-api-key", "authorization"]);

const replayable = (headers: HeaderList): HeaderList =>
  endToEnd(headers).filter(([name]) => !notAgain.has(name.toLowerCase()));

/** `dogwatch-call: <session>/<n>` */
const numberIn = (header: string | null): number | null => {
  const [, n] = /^[0-9a-f-]{36}\/(\d{1,9})$/.exec(header ?? "") ?? [];
  return n === undefined ? null : Number(n);
};

/** `{"errors": ["dogwatch: …"]}` */
const complaintIn = ({ body, status }: LineAnswer): string | null => {
  try {
    const said: unknown = JSON.parse(body?.toString("utf8") ?? "");
    const errors = typeof said === "object" && said !== null && "errors" in said ? said.errors : null;
    return Array.isArray(errors) ? `${status}: ${errors.join("; ").replace(/^dogwatch: /, "")}` : null;
  } catch {
    return null;
  }
};
