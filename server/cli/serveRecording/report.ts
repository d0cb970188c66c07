/** What was asked of a recording, and what of it nobody asked for: for people, and as JSON. */

import type { Asked } from "../../journeys/recorded/double.ts";
import type { Indexed } from "../../journeys/recorded/recording.ts";
import type { Answer } from "../answer.ts";
import { counted, readable } from "../words.ts";

export type Served = { readonly name: string; readonly calls: number; readonly asked: Asked };

const mostShown = 50;

/** 1: something was asked for that could not be answered. */
export const exitCodeOf = ({ unansweredCount }: Asked): 0 | 1 => (unansweredCount > 0 ? 1 : 0);

export const reportJson = ({ name, calls, asked }: Served): string =>
  `${JSON.stringify({
    recording: name,
    calls,
    requests: asked.requests,
    answered: asked.requests - asked.unansweredCount,
    answered_alike: asked.alike,
    unanswered_count: asked.unansweredCount,
    unanswered: asked.unanswered,
    unasked: asked.unasked.map(({ call: { n, operation, method, host, path } }) => ({
      n,
      operation,
      method,
      host,
      path,
    })),
  })}\n`;

export const reportText = ({ name, calls, asked }: Served): string => {
  const { requests, unanswered, unansweredCount, unasked } = asked;
  const lines = [
    `${name}: ${counted(requests, "request")}, ${answeredIn(asked)}`,
    ...unanswered.slice(0, mostShown).map(({ code, message }) => `  ${code}: ${readable(message, 1_000)}`),
    ...more(unansweredCount, "request"),
    `${unasked.length} of ${counted(calls, "recorded call")} never asked for${unasked.length === 0 ? "" : ":"}`,
    ...unasked.slice(0, mostShown).map(lineOf),
    ...more(unasked.length, "call"),
  ];
  return `${lines.join("\n")}\n`;
};

/** `10 answered (2 not the same in every value), 1 not` */
const answeredIn = ({ requests, alike, unansweredCount }: Asked): string => {
  const other = alike === 0 ? "" : ` (${alike} not the same in every value)`;
  if (unansweredCount === 0) return `all answered${other}`;
  return `${requests - unansweredCount} answered${other}, ${unansweredCount} not`;
};

const lineOf = ({ call: { n, operation, method, path } }: Indexed): string =>
  `  call ${n}  ${readable(operation, 100)}  ${readable(method, 20)} ${readable(path, 200)}`;

const more = (count: number, what: string): string[] =>
  count > mostShown ? [`  and ${counted(count - mostShown, what)} more: --json has all`] : [];

export const report = (served: Served, json: boolean | undefined): Answer => ({
  exitCode: exitCodeOf(served.asked),
  output: json === true ? reportJson(served) : reportText(served),
});
