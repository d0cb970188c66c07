/** The pages of approvals, and the form by which people answer. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isApiRefusal } from "../errors.ts";
import { answerOnPage } from "../journeys/approval/answer.ts";
import { listForPage, showApproval, type PageParts, watchApproval } from "../journeys/approval/page.ts";
import { versionOfApprovals } from "../journeys/approval/watch.ts";
import { approvalStates } from "../model/approval.ts";
import { approvalPage, noStatePage, notCountedPage, statePage } from "../web/approval.ts";
import { approvalsPage } from "../web/approvals.ts";
import { signInPage } from "../web/signIn.ts";
import { type Asked, type FrameParts, frameOf, refusalPage, sendPage, show, strictPolicy } from "./page.ts";
import { notOurForm } from "./signIn.ts";

export type ApprovalPagesParts = FrameParts & { readonly approvals: PageParts };

/** Of each part of a question; some have megabytes, and browsers and readers have had enough long before. */
const firstLines = 5_000;
/** Of one address, which everybody behind a proxy shares: a large question takes a moment to lay out, an answer a few of GitHub's. */
const readsPerMinute = 600;
const answersPerMinute = 300;
/** Seconds between two looks of the frame that shows how an approval stands. */
const lookEvery = 5;

export function registerApprovalPages(app: FastifyInstance, parts: ApprovalPagesParts): void {
  app.get("/approvals", (request, reply) =>
    show(parts, { request, reply }, async ({ reader }) => {
      const found = await listForPage(parts.approvals, reader, listQuery.parse(request.query));
      return isApiRefusal(found) ? found : approvalsPage(found);
    }),
  );
  const watching = { config: { rateLimit: { max: readsPerMinute, timeWindow: 60_000 } } };
  app.get("/approvals/version", watching, async (request, reply) => {
    const viewer = await parts.signIn.viewer(request);
    const version = viewer === null ? null : await versionOfApprovals(parts.approvals, viewer.reader);
    if (version === null) return reply.code(404).send({ version: null });
    return reply.send({ version });
  });
  const framing = {
    contentSecurityPolicy: { useDefaults: false, directives: { ...strictPolicy, frameSrc: ["'self'"] } },
  };
  const reading = { helmet: framing, config: { rateLimit: { max: readsPerMinute, timeWindow: 60_000 } } };
  app.get("/approvals/:id", reading, (request, reply) =>
    show(parts, { request, reply }, async (viewer) => {
      const { id } = params.parse(request.params);
      const lines = wholeQuery.parse(request.query).lines === undefined ? firstLines : Number.POSITIVE_INFINITY;
      const shown = await showApproval(parts.approvals, viewer, { id, lines });
      return isApiRefusal(shown) ? shown : approvalPage(shown, parts.signIn.cookies.formToken(request));
    }),
  );
  const limited = { config: { rateLimit: { max: answersPerMinute, timeWindow: 60_000 } } };
  app.post("/approvals/:id", limited, (request, reply) => takeAnswer(parts, { request, reply }));
  const framed = {
    contentSecurityPolicy: { useDefaults: false, directives: { ...strictPolicy, frameAncestors: ["'self'"] } },
  };
  app.get("/approvals/:id/state", { helmet: framed }, async (request, reply) => {
    const viewer = await parts.signIn.viewer(request);
    const { id } = params.parse(request.params);
    const standing = viewer === null ? null : await watchApproval(parts.approvals, viewer, id);
    reply.type("text/html; charset=utf-8").header("x-frame-options", "SAMEORIGIN");
    if (standing === null) return reply.code(404).send(noStatePage.text);
    const { state } = standing.approval;
    // A reload of this frame alone: whoever reads or writes on the page around it is not disturbed.
    if (state === "pending" || state === "approved") reply.header("refresh", String(lookEvery));
    return reply.send(statePage(standing).text);
  });
}

async function takeAnswer(parts: ApprovalPagesParts, { request, reply }: Asked) {
  const { id } = params.parse(request.params);
  const { form, verdict, reason } = answerForm.parse(request.body ?? {});
  const { signIn, approvals } = parts;
  if (!signIn.cookies.isOurForm(request, form)) {
    const reason = "the form is not of this sign-in, or came from another site";
    approvals.audit({ kind: "request_refused", who: request.ip, what: `POST /approvals/${id}`, reason });
    return sendPage(reply.code(403), notOurForm);
  }
  const person = await signIn.person(request);
  if (person === null) return sendPage(reply.code(401), signInPage(signIn.ways(`/approvals/${id}`)));
  const answered = await answerOnPage(approvals, person, { id, verdict, reason });
  if (!isApiRefusal(answered)) return reply.redirect(`/approvals/${id}`, 303);
  const frame = await frameOf(parts, request, { reader: { kind: "person", person }, person });
  return answered.code === "not_found"
    ? sendPage(reply.code(404), refusalPage(answered), frame)
    : sendPage(reply.code(403), notCountedPage(id, answered.message), frame);
}

const params = z.object({ id: z.uuid() });
const wholeQuery = z.object({ lines: z.literal("all").optional() });
const listQuery = z.object({ cursor: z.string().max(1000).optional(), state: z.enum(approvalStates).optional() });
const answerForm = z.object({
  form: z.string().max(200).default(""),
  verdict: z.enum(["approve", "deny"]),
  reason: z
    .string()
    .max(4_000)
    .default("")
    .transform((text) => text.replaceAll(/\s+/g, " ").trim().slice(0, 1_000)),
});
