/** `dogwatch approvals list | show`: what waits for a person, and what became of what waited. */

import { z } from "zod";
import { type ApprovalJson, approval, page } from "../../contract.ts";
import { Api, type ApiOptions, ApiRefused, WrongUsage } from "../api.ts";
import type { Answer } from "../answer.ts";
import { counted, readable } from "../words.ts";

export type ListRequest = ApiOptions & { readonly state?: string; readonly json?: true };
export type ShowRequest = ApiOptions & { readonly json?: true };

type World = { readonly env: NodeJS.ProcessEnv; readonly now: Date };

/** Pages that are asked for at most: nobody reads on. */
const mostPages = 10;

export const listApprovals = (request: ListRequest, { env, now }: World): Promise<Answer> =>
  explained(async () => {
    const state = request.state ?? "pending";
    if (state !== "all" && !approval.shape.state.safeParse(state).success)
      throw new WrongUsage(
        `--state ${JSON.stringify(state)} is none of ${[...approval.shape.state.options, "all"].join(", ")}`,
      );
    const found = await readPages(new Api(request, env), state === "all" ? "" : `&state=${state}`);
    if (request.json) return { exitCode: 0, output: `${JSON.stringify(found, null, 2)}\n` };
    if (found.length === 0)
      return { exitCode: 0, output: state === "all" ? "no approvals\n" : `no approvals are ${state}\n` };
    return {
      exitCode: 0,
      output: `${found.map((one) => lineOf(one, now)).join("\n")}\n${counted(found.length, "approval")}\n`,
    };
  });

/** Exit code 1 for one that was not approved. */
export const showApproval = (id: string, request: ShowRequest, { env, now }: World): Promise<Answer> =>
  explained(async () => {
    if (!z.uuid().safeParse(id).success)
      throw new WrongUsage(`${JSON.stringify(id)} is no approval's id (\`dogwatch approvals list\` has them)`);
    const found = await new Api(request, env).get(`/v1/approvals/${id}`, approval);
    const exitCode = unapproved.has(found.state) ? 1 : 0;
    if (request.json) return { exitCode, output: `${JSON.stringify(found, null, 2)}\n` };
    return { exitCode, output: `${describe(found, now).join("\n")}\n` };
  });

const unapproved: ReadonlySet<ApprovalJson["state"]> = new Set(["denied", "expired", "stale", "cancelled"]);

async function readPages(api: Api, filter: string): Promise<ApprovalJson[]> {
  const found: ApprovalJson[] = [];
  let cursor = "";
  for (let read = 0; read < mostPages; read++) {
    const { items, next_cursor } = await api.get(`/v1/approvals?limit=200${filter}${cursor}`, page(approval));
    found.push(...items);
    if (next_cursor === null) break;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
  return found;
}

const lineOf = (one: ApprovalJson, now: Date): string =>
  [one.state.padEnd(9), one.code.padEnd(10), readable(one.title), timeLeft(one, now), one.url]
    .filter((part) => part !== "")
    .join("  ");

const describe = (one: ApprovalJson, now: Date): string[] => [
  readable(one.title),
  `  state      ${one.state}${one.reason === "" ? "" : `: ${readable(one.reason)}`}`,
  `  operation  ${readable(one.operation)}, asked by rule ${readable(one.rule)}`,
  `  code       ${readable(one.code)}`,
  `  asked      ${one.asked_at}, ${one.state === "pending" ? timeLeft(one, now) : `until ${one.expires_at}`}`,
  ...(one.call_id === null ? [] : [`  call       ${one.call_id}`]),
  ...(one.consumed_by === null ? [] : [`  let pass   ${one.consumed_by}`]),
  ...one.where.map(({ kind, url }) => `  ${kind.replaceAll("_", " ").padEnd(10)} ${readable(url)}`),
  ...one.answers.map(
    ({ verdict, by, via, at, accepted, reason }) =>
      `  ${at}  ${readable(by)} said ${verdict} (${via}): ${accepted ? "accepted" : "refused"}${reason === "" ? "" : `, ${readable(reason)}`}`,
  ),
  `  page       ${readable(one.url)}`,
];

const timeLeft = ({ state, expires_at }: ApprovalJson, now: Date): string => {
  if (state !== "pending") return "";
  const minutes = Math.ceil((Date.parse(expires_at) - now.getTime()) / 60_000);
  return minutes > 0 ? `${minutes}m left` : "expiring";
};

async function explained(command: () => Promise<Answer>): Promise<Answer> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof WrongUsage) return { exitCode: 2, output: `${error.message}\n` };
    if (error instanceof ApiRefused) return { exitCode: error.status === 404 ? 1 : 2, output: `${error.message}\n` };
    throw error;
  }
}
