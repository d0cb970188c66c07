/** `dogwatch undo`: asked of a running gateway, the plan or its doing. */

import { z } from "zod";
import { type UndoJson, type UndoStepJson, undo as undoShape } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained, WrongUsage } from "../api.ts";
import { counted, readable } from "../words.ts";

export type UndoRequest = ApiOptions & { readonly apply?: true; readonly json?: true };

/** A gateway does some seconds' worth at a time; more turns than that are no progress. */
const mostTurns = 200;

export const undo = (session: string, request: UndoRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    if (!z.uuid().safeParse(session).success) throw new WrongUsage(`${JSON.stringify(session)} is no session's id`);
    const api = new Api(request, env);
    const path = `/v1/sessions/${session}/undo`;
    const shown = request.apply === true ? await applied(api, path) : await api.get(path, undoShape);
    const exitCode = shown.steps.every(request.apply === true ? isDone : isUndoable) ? 0 : 1;
    if (request.json) return { exitCode, output: `${JSON.stringify(shown, null, 2)}\n` };
    return { exitCode, output: `${describe(shown, request).join("\n")}\n` };
  });

async function applied(api: Api, path: string): Promise<UndoJson> {
  for (let turn = 1; ; turn++) {
    const shown = await api.post(path, {}, undoShape);
    if (turn === mostTurns || !shown.steps.some(({ state }) => state === "todo")) return shown;
  }
}

const isUndoable = ({ action }: UndoStepJson): boolean => action !== "impossible" && action !== "look";
const isDone = (step: UndoStepJson): boolean => isUndoable(step) && (step.state === "done" || step.state === "none");

function describe({ session_id, connection, session, steps }: UndoJson, { apply }: UndoRequest): readonly string[] {
  if (steps.length === 0) return [`session ${session_id} changed nothing`];
  return [
    `${counted(steps.length, "write")} of session ${session_id} on ${readable(connection, 80)}, the one that is taken back first above`,
    ...steps.flatMap(describeStep),
    apply === true
      ? session === null
        ? "nothing was left to do"
        : `done in session ${session.id}: ${readable(session.url)}`
      : "this is the plan; nothing was sent. --apply does it",
  ];
}

const words = {
  recreate: "make again",
  restore: "restore",
  put_back: "put back",
  delete: "delete",
  nothing: "nothing to do",
  look: "look first",
  impossible: "cannot be undone",
} as const satisfies Record<UndoStepJson["action"], string>;

function describeStep(step: UndoStepJson): readonly string[] {
  const { n, operation, action, resource, why, request, needs, state, result, approval, differs, new_id } = step;
  const name = operation.split(".").at(-1) ?? operation;
  const what = resource === null ? "" : ` ${resource.kind.replaceAll("_", " ")} ${resource.id}${titled(resource.name)}`;
  return [
    `call ${n} ${readable(name, 80)}: ${words[action]}${readable(what, 160)}`,
    `    ${readable(why, 400)}`,
    ...(request === null ? [] : [`    ${request.method} ${readable(request.path)}`]),
    ...(needs.length === 0 || state === "done" ? [] : [`    after the step for call ${needs.join(", ")}`]),
    ...(state === "none" || state === "planned"
      ? []
      : [`    ${state}: ${readable(result, 400)}${new_id === null ? "" : ` (now ${readable(new_id, 60)})`}`]),
    ...(approval === null ? [] : [`    ${readable(approval.url)}`]),
    ...(differs.length === 0 ? [] : [`    differs in ${readable(differs.join(", "), 400)}`]),
  ];
}

const titled = (name: string): string => (name === "" ? "" : ` “${name}”`);
