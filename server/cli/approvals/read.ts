/** `dogwatch approvals list | show`: what waits for a person, and what became of what waited. */

import { z } from "zod";
import { type ApprovalJson, approval, page } from "../../contract.ts";
import { Api, type ApiOptions, explained, readPages, WrongUsage } from "../api.ts";
import type { Answer } from "../answer.ts";
import { counted, inColumns, readable } from "../words.ts";
import { plainJsonLines } from "../../model/plainJson.ts";

export type ListRequest = ApiOptions & { readonly state?: string; readonly json?: true };
export type ShowRequest = ApiOptions & { readonly json?: true };

type World = { readonly env: NodeJS.ProcessEnv; readonly now: Date };

export const listApprovals = (request: ListRequest, { env, now }: World): Promise<Answer> =>
  explained(async () => {
    const state = request.state ?? "pending";
    if (state !== "all" && !approval.shape.state.safeParse(state).success)
      throw new WrongUsage(
        `--state ${JSON.stringify(state)} is none of ${[...approval.shape.state.options, "all"].join(", ")}`,
      );
    const api = new Api(request, env);
    const filter = state === "all" ? "" : `&state=${state}`;
    const { found, whole } = await readPages((cursor) => {
      const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      return api.get(`/v1/approvals?limit=200${filter}${after}`, page(approval));
    });
    if (request.json) return { exitCode: 0, output: `${plainJsonLines(found)}\n` };
    if (found.length === 0)
      return { exitCode: 0, output: state === "all" ? "no approvals\n" : `no approvals are ${state}\n` };
    const end = `${counted(found.length, "approval")}${whole ? "" : ", the newest; there are more"}`;
    return { exitCode: 0, output: `${inColumns(found.map((one) => cellsOf(one, now))).join("\n")}\n${end}\n` };
  });

/** Exit code 1 for one that was not approved. */
export const showApproval = (id: string, request: ShowRequest, { env, now }: World): Promise<Answer> =>
  explained(async () => {
    if (!z.uuid().safeParse(id).success)
      throw new WrongUsage(`${JSON.stringify(id)} is no approval's id (\`dogwatch approvals list\` has them)`);
    const found = await new Api(request, env).get(`/v1/approvals/${id}`, approval);
    const exitCode = unapproved.has(found.state) ? 1 : 0;
    if (request.json) return { exitCode, output: `${plainJsonLines(found)}\n` };
    return { exitCode, output: `${describe(found, now).join("\n")}\n` };
  });

const unapproved: ReadonlySet<ApprovalJson["state"]> = new Set(["denied", "expired", "stale", "cancelled"]);

/** What it is, how it stands, and where to answer. */
const cellsOf = (one: ApprovalJson, now: Date): readonly string[] => [
  one.state,
  readable(one.title, 70),
  one.state === "pending" || one.state === "approved" ? timeLeft(one, now) : ago(one, now),
  one.state === "pending" ? one.code : answeredBy(one),
  one.url,
];

const describe = (one: ApprovalJson, now: Date): string[] => [
  readable(one.title),
  ...inColumns([
    ["  state", `${one.state}${one.reason === "" ? "" : `: ${readable(one.reason)}`}`],
    ["  operation", `${readable(one.operation)}, asked by rule ${readable(one.rule)}`],
    ["  code", readable(one.code)],
    ["  asked", one.asked_at],
    [
      "  until",
      `${one.expires_at}${one.state === "pending" || one.state === "approved" ? `, ${timeLeft(one, now)}` : ""}`,
    ],
    ...(one.decided_at === null ? [] : [["  decided", `${one.decided_at}, ${ago(one, now)}`]]),
    ...(one.call_id === null ? [] : [["  call", one.call_id]]),
    ...(one.consumed_by === null ? [] : [["  let pass", one.consumed_by]]),
    ...one.where
      .filter(({ kind }) => kind !== "page")
      .map(({ kind, url }) => [`  ${kind.replaceAll("_", " ")}`, readable(url)]),
    ["  page", readable(one.url)],
  ]),
  ...(one.answers.length === 0
    ? ["nobody has answered yet"]
    : one.answers.map(
        ({ verdict, by, via, at, accepted, reason }) =>
          `${at} ${readable(by)} said ${verdict} (${via}): ${accepted ? "accepted" : "refused"}${reason === "" ? "" : `, ${readable(reason)}`}`,
      )),
];

const answeredBy = ({ answers }: ApprovalJson): string => {
  const people = answers.filter(({ accepted }) => accepted).map(({ by }) => readable(by, 40));
  return people.length === 0 ? "by nobody" : `by ${people.join(", ")}`;
};

const timeLeft = ({ expires_at }: ApprovalJson, now: Date): string => {
  const minutes = Math.ceil((Date.parse(expires_at) - now.getTime()) / 60_000);
  return minutes > 0 ? `${inMinutes(minutes)} left` : "expiring";
};

const ago = ({ decided_at, asked_at }: ApprovalJson, now: Date): string =>
  `${inMinutes(Math.max(0, Math.floor((now.getTime() - Date.parse(decided_at ?? asked_at)) / 60_000)))} ago`;

const inMinutes = (minutes: number): string => {
  if (minutes < 120) return `${minutes}m`;
  return minutes < 2_880 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1_440)}d`;
};
