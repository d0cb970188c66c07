/** One recorded call as text: what was decided and why, and both messages, so that nothing recorded moves the terminal. */

import type { BodyJson, CallJson } from "../../contract.ts";
import { inColumns, readable } from "../words.ts";

export const describeCall = (call: CallJson): string[] => [
  `${readable(call.method)} https://${readable(call.host)}${readable(call.path, 2_000)}${queryOf(call)}`,
  ...inColumns([
    ["  call", `${call.id}, ${call.state}`],
    ["  operation", `${readable(call.operation)}, ${call.access}`],
    ...decided("decision", call.decision),
    ...(call.response_decision === null ? [] : decided("on answer", call.response_decision)),
    ...(call.approval_id === null ? [] : [["  approval", call.approval_id]]),
    ["  status", `${outcomeOf(call)}${call.error === null ? "" : `: ${readable(call.error, 500)}`}`],
    ["  received", `${call.received_at}${call.done_at === null ? "" : `, answered after ${took(call)}`}`],
    ...(call.client === null ? [] : [["  client", readable(call.client)]]),
    ["  page", readable(call.url)],
  ]),
  ...messageOf("request", call.request),
  ...(call.response === null ? [] : messageOf("answer", call.response)),
];

/** `200`, `403 denied`; what has no answer is in its state. */
export const outcomeOf = ({ status, error_code, state }: CallJson): string => {
  const code = error_code === null ? "" : ` ${readable(error_code)}`;
  return `${status ?? state}${code}`;
};

export const took = ({ received_at, done_at }: CallJson): string =>
  done_at === null ? "-" : `${Math.max(0, Date.parse(done_at) - Date.parse(received_at))} ms`;

const queryOf = ({ query }: CallJson): string => (query === "" ? "" : `?${readable(query, 2_000)}`);

const decided = (name: string, { effect, reason, rules }: CallJson["decision"]): string[][] => [
  [`  ${name}`, `${effect}: ${readable(reason, 500)}`],
  ...rules.map((rule) => ["  rule", `${readable(rule.name)}, ${readable(rule.effect)}: ${readable(rule.reason, 500)}`]),
];

const messageOf = (name: string, { headers, body }: CallJson["request"]): string[] => [
  "",
  name,
  ...headers.map(([field, value]) => `  ${readable(field)}: ${readable(value, 2_000)}`),
  ...(body === null ? [] : [...(headers.length === 0 ? [] : [""]), ...linesOf(body)]),
];

/** Characters of a body that are printed; whoever wants more wants them in a file. */
const longest = 8_000;

const linesOf = (body: BodyJson): string[] => {
  const { text, size, encoding, truncated, withheld } = body;
  const bytes = `${size.toLocaleString("en")} bytes`;
  if (body.expired) return [`  (${bytes}, no longer kept)`];
  if (withheld !== null) return [`  (${bytes}, withheld: ${readable(withheld)})`];
  if (text === undefined && body.base64 === undefined) return [`  (${bytes})`];
  if (text === undefined) return [`  (${bytes}, ${encoding ?? "no text"}; --json has what is stored)`];
  const shown = text.slice(0, longest).split("\n");
  const lines = shown.map((line) => `  ${readable(line.replace(/\r$/, ""), longest)}`);
  if (text.length <= longest && !truncated) return lines;
  const cut = `${lines.join("\n")}${text.length > longest ? "…" : ""}`;
  return [cut, `  (${bytes}${truncated ? ", stored in part" : ""}; --json has what is stored)`];
};
