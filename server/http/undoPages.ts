/** The page of what takes a session back, and the form that does it. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isApiRefusal } from "../errors.ts";
import type { Reader } from "../journeys/history.ts";
import { applyUndo, mayUndo, planUndo, type UndoParts } from "../journeys/undo.ts";
import { type ShownUndo, undoPage } from "../web/undo.ts";
import { type FormParts, takeForm } from "./forms.ts";
import { show } from "./page.ts";
import { planJson, undoJson } from "./undo.ts";

export type UndoPagesParts = FormParts & { readonly undoing: UndoParts; readonly publicUrl: string };

export function registerUndoPages(app: FastifyInstance, parts: UndoPagesParts): void {
  const { undoing, publicUrl, signIn } = parts;
  /** A plan is made from the recordings, and who may do it is asked anew each time. */
  const planned = async (reader: Reader, id: string): Promise<Pick<ShownUndo, "undo" | "refusal"> | Refused> => {
    const plan = await planUndo(undoing, reader, id);
    if (isApiRefusal(plan)) return plan;
    const refusal = await mayUndo(undoing, reader, plan.session);
    return { undo: planJson(publicUrl, plan), refusal: refusal?.message ?? null };
  };
  app.get("/sessions/:id/undo", limited, (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const plan = await planned(reader, params.parse(request.params).id);
      if (isApiRefusal(plan)) return plan;
      return undoPage({ ...plan, form: signIn.cookies.formToken(request), of: "plan", complaint: null });
    }),
  );
  app.post("/sessions/:id/undo", limited, (request, reply) => {
    const { id } = params.parse(request.params);
    return takeForm(parts, { request, reply, back: `/sessions/${id}/undo` }, async ({ reader }) => {
      const form = signIn.cookies.formToken(request);
      if (confirmation.parse(request.body ?? {}).confirmed !== "yes") {
        const plan = await planned(reader, id);
        return isApiRefusal(plan) ? plan : undoPage({ ...plan, form, of: "doing", complaint: unconfirmed });
      }
      const undone = await applyUndo(undoing, reader, id);
      if (isApiRefusal(undone)) return undone;
      return undoPage({ undo: undoJson(publicUrl, undone), refusal: null, form, of: "doing", complaint: null });
    });
  });
}

type Refused = Extract<Awaited<ReturnType<typeof planUndo>>, { readonly code: string }>;

/** Of one address, which everybody behind a proxy shares: a plan is made from a whole session. */
const limited = { config: { rateLimit: { max: 300, timeWindow: 60_000 } } };

const params = z.object({ id: z.uuid() });
const confirmation = z.object({ confirmed: z.string().max(10).optional() });

const unconfirmed = "Nothing was done: the box that says that you have read the plan was not ticked.";
