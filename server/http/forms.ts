/** Takes the forms by which people have the gateway act: of their own sign-in alone, and refusals are on record. */

import type { FastifyReply } from "fastify";
import { z } from "zod";
import { type ApiRefusal, apiStatusOf, isApiRefusal } from "../errors.ts";
import type { Viewer } from "../journeys/approval/page.ts";
import { readerName } from "../journeys/history.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Page } from "../web/layout.ts";
import { messagePage, signInPage } from "../web/signIn.ts";
import { type Asked, type FrameParts, frameOf, sendPage } from "./page.ts";
import { notOurForm } from "./signIn.ts";

export type FormParts = FrameParts & { audit(event: AuditEvent): void };

/** Where somebody is led, a page, or why not. */
type Outcome = { readonly to: string } | Page | ApiRefusal;

const carried = z.object({ form: z.string().max(200).default("") });

/** `back`: the page that has the form. */
export async function takeForm(
  parts: FormParts,
  { request, reply, back }: Asked & { readonly back: string },
  act: (viewer: Viewer) => Promise<Outcome>,
): Promise<FastifyReply> {
  const { signIn, audit } = parts;
  const viewer = await signIn.viewer(request);
  if (viewer === null) return sendPage(reply.code(401), signInPage(signIn.ways(back)));
  const refused = (reason: string): void =>
    audit({ kind: "request_refused", who: readerName(viewer.reader), what: `POST ${request.url}`, reason });
  if (!signIn.cookies.isOurForm(request, carried.parse(request.body ?? {}).form)) {
    refused("the form is not of this sign-in, or came from another site");
    return sendPage(reply.code(403), notOurForm);
  }
  const outcome = await act(viewer);
  if ("to" in outcome) return reply.redirect(outcome.to, 303);
  const frame = await frameOf(parts, request, viewer);
  if (!isApiRefusal(outcome)) return sendPage(reply, outcome, frame);
  refused(`${outcome.code}: ${outcome.message}`);
  const title = outcome.code === "not_found" ? "Not found" : "Nothing was done";
  return sendPage(reply.code(apiStatusOf[outcome.code]), messagePage(title, outcome.message), frame);
}
