/** Undoing a session over HTTP: the plan to read, and its steps to do. */

import { z } from "zod";
import { undo, type UndoJson, type UndoStepJson } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import { applyUndo, planUndo, type UndoParts } from "../journeys/undo.ts";
import type { Result } from "../journeys/undo/settle.ts";
import type { Plan, PlannedStep } from "../journeys/undo/plan.ts";
import type { UndoRequest } from "../journeys/undo/requests.ts";
import type { CallNumber } from "../model/receipt.ts";
import type { Session } from "../model/session.ts";
import { type AccessParts, admit, knownReader, refusals, turnAway } from "./access.ts";
import { sessionUrl } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type UndoRoutes = AccessParts & { readonly undoing: UndoParts; readonly publicUrl: string };

const params = z.object({ id: z.uuid() });
const security = [{ access: [] }];

export const registerUndo = async (api: Api, parts: UndoRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/sessions/:id/undo",
    schema: {
      summary: "What would restore what was there before the writes of a session: a plan, from its recordings",
      security,
      params,
      response: { 200: undo, ...refusals },
    },
    handler: async (request, reply) => {
      const plan = await planUndo(parts.undoing, knownReader(request), request.params.id);
      if (isApiRefusal(plan)) return reply.send(turnAway(parts, { request, reply }, plan));
      return planJson(parts.publicUrl, plan);
    },
  });
  api.route({
    method: "POST",
    url: "/sessions/:id/undo",
    schema: {
      summary:
        "Do the plan, in a session of whoever asks: policy, approvals and recording apply; asked again it goes on",
      security,
      params,
      response: { 200: undo, ...refusals },
    },
    handler: async (request, reply) => {
      const undone = await applyUndo(parts.undoing, knownReader(request), request.params.id);
      if (isApiRefusal(undone)) return reply.send(turnAway(parts, { request, reply }, undone));
      return undoJson(parts.publicUrl, undone);
    },
  });
};

type Shown = {
  readonly plan: Plan;
  readonly results: ReadonlyMap<string, Result>;
  readonly session: Session | null;
};

export const planJson = (publicUrl: string, plan: Plan): UndoJson =>
  undoJson(publicUrl, { plan, results: new Map(), session: null });

export const undoJson = (publicUrl: string, { plan, results, session }: Shown): UndoJson => ({
  session_id: plan.session.id,
  connection: plan.session.connection,
  session: session === null ? null : { id: session.id, url: sessionUrl(publicUrl, session.id) },
  steps: plan.steps.map((step) => stepJson(publicUrl, step, results.get(step.key) ?? null)),
});

const stepJson = (publicUrl: string, step: PlannedStep, result: Result | null): UndoStepJson => ({
  key: step.key,
  n: step.call.n,
  ...callJson(publicUrl, step.call),
  operation: step.call.operation,
  resource:
    step.resource === null
      ? null
      : { kind: step.resource.kind.name, id: step.resource.id, name: step.name.slice(0, 200) },
  action: step.doing.action,
  why: step.why,
  from: step.from === null ? null : callJson(publicUrl, step.from),
  needs: [...step.needs],
  request: requestJson(result?.request ?? step.request),
  ...(result === null ? before(publicUrl, step) : outcome(publicUrl, result)),
});

/** Of a large body its call has the bytes. */
const requestJson = (request: UndoRequest | null): UndoStepJson["request"] =>
  request === null || request.body === null || request.body.length <= mostShown
    ? request
    : { ...request, body: `${request.body.slice(0, mostShown)}…` };

const mostShown = 256 * 1024;

const callJson = (publicUrl: string, { session_id, n }: CallNumber): { call_id: string; url: string } => ({
  call_id: `${session_id}/${n}`,
  url: `${sessionUrl(publicUrl, session_id)}/calls/${n}`,
});

type Outcome = Pick<UndoStepJson, "state" | "result" | "done_by" | "new_id" | "approval" | "differs">;

const outcome = (publicUrl: string, { state, why, call, id, approval, differs }: Result): Outcome => ({
  state,
  result: why,
  done_by: call === null ? null : callJson(publicUrl, call),
  new_id: id,
  approval,
  differs: [...differs],
});

/** What an earlier undoing left. */
const before = (publicUrl: string, { request, progress }: PlannedStep): Outcome => {
  const state = request === null ? "none" : "planned";
  if (progress === null) return { state, result: "", done_by: null, new_id: null, approval: null, differs: [] };
  const { call, id, why, approval } = progress;
  return {
    state: progress.state === "open" ? "unknown" : progress.state,
    result: progress.state === "done" ? "it was done before" : why,
    done_by: callJson(publicUrl, call),
    new_id: id,
    approval,
    differs: [],
  };
};
