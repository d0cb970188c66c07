/** `dogwatch show`: a session with its calls, or one call, asked of a running gateway. */

import { z } from "zod";
import { type CallJson, call, page, type SessionJson, session } from "../../contract.ts";
import { plainJsonLines } from "../../model/plainJson.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, readPages, WrongUsage } from "../api.ts";
import { counted, inColumns, readable } from "../words.ts";
import { describeCall, outcomeOf, took } from "./call.ts";

export type ShowOptions = ApiOptions & { readonly json?: true };

/** What was denied is shown like anything else: a finding is only that there is none. */
export const show = (word: string, options: ShowOptions, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const { id, n } = placeOf(word);
    const api = new Api(options, env);
    return n === null ? showSession(api, id, options) : showCall(api, `${id}/calls/${n}`, options);
  });

/** `SESSION` or `SESSION/N`, as `id` of sessions and calls have it. @throws WrongUsage */
const placeOf = (word: string): { readonly id: string; readonly n: number | null } => {
  const [, id = "", number] = /^([^/]+)(?:\/([1-9]\d{0,9}))?$/.exec(word) ?? [];
  if (!z.uuid().safeParse(id).success)
    throw new WrongUsage(`${JSON.stringify(word)} is no id of a session or of a call: SESSION, or SESSION/NUMBER`);
  return { id, n: number === undefined ? null : Number(number) };
};

const showSession = async (api: Api, id: string, { json }: ShowOptions): Promise<Answer> => {
  const found = await api.get(`/v1/sessions/${id}`, session);
  const { found: calls, whole } = await readPages((cursor) => {
    const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    return api.get(`/v1/sessions/${id}/calls?limit=200${after}`, page(call));
  });
  if (json) return { exitCode: 0, output: `${plainJsonLines({ ...found, items: calls })}\n` };
  const end = whole ? [] : [`${counted(calls.length, "call")}, the first; its page has all of them`];
  return { exitCode: 0, output: `${[...describe(found), ...inColumns(calls.map(cellsOf)), ...end].join("\n")}\n` };
};

const showCall = async (api: Api, place: string, { json }: ShowOptions): Promise<Answer> => {
  const found = await api.get(`/v1/sessions/${place}`, call);
  return { exitCode: 0, output: json ? `${plainJsonLines(found)}\n` : `${describeCall(found).join("\n")}\n` };
};

const describe = ({ seal, ...one }: SessionJson): string[] => [
  `session ${one.id} on ${readable(one.connection)}, ${one.state}`,
  ...inColumns([
    ["  caller", readable(one.caller.subject)],
    ["  issuer", readable(one.caller.issuer)],
    ["  opened", one.opened_at],
    ...(one.closed_at === null ? [] : [[`  ${one.state}`, one.closed_at]]),
    ["  calls", `${one.calls}, ${one.denied} denied, ${one.approved} approved, ${counted(one.masked, "value")} masked`],
    ["  seal", seal === null ? "none yet" : `${seal.sealed_at}, head ${readable(seal.head)}${leafOf(seal.log_index)}`],
    ...(one.hold === null ? [] : [["  held", `by ${readable(one.hold.by)}, ${readable(one.hold.reason)}`]]),
    ["  page", readable(one.url)],
  ]),
];

const leafOf = (index: number | null): string => (index === null ? "" : `, leaf ${index}`);

const cellsOf = (one: CallJson): readonly string[] => [
  String(one.n),
  one.decision.effect,
  outcomeOf(one),
  took(one),
  readable(one.operation.split(".").at(-1) ?? "", 60),
  `${readable(one.method)} ${readable(one.path, 80)}`,
];
