/** Takes the forms by which people have the gateway act: of their own sign-in alone, and refusals are on record. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ApiRefusal, apiStatusOf, isApiRefusal } from "../errors.ts";
import type { Viewer } from "../journeys/approval/page.ts";
import { readerName } from "../journeys/history.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Page } from "../web/layout.ts";
import { messagePage, signInPage } from "../web/signIn.ts";
import { pathOf } from "./access.ts";
import { type Asked, type FrameParts, frameOf, sendPage } from "./page.ts";
import { notOurForm } from "./signIn.ts";

export type FormParts = FrameParts & { audit(event: AuditEvent): void };

/** Where somebody is led, a page, or why not. */
type Outcome = { readonly to: string } | Page | ApiRefusal;

const carried = z.object({ form: z.string().max(200).default("") });

/** Null when it was refused, and answered so. */
export async function whoseForm(
  parts: FormParts,
  { request, reply, back }: Asked & { readonly back: string },
): Promise<Viewer | null> {
  const { signIn } = parts;
  const viewer = await signIn.viewer(request);
  if (viewer === null) {
    await sendPage(reply.code(401), signInPage(signIn.ways(back)));
    return null;
  }
  if (signIn.cookies.isOurForm(request, carried.parse(request.body ?? {}).form)) return viewer;
  recordRefusal(parts, { request, viewer, reason: "the form is not of this sign-in, or came from another site" });
  await sendPage(reply.code(403), notOurForm);
  return null;
}

type Refused = { readonly request: FastifyRequest; readonly viewer: Viewer; readonly reason: string };

const recordRefusal = ({ audit }: FormParts, { request, viewer, reason }: Refused): void =>
  audit({ kind: "request_refused", who: readerName(viewer.reader), what: `POST ${pathOf(request)}`, reason });

/** `back`: the page that has the form. */
export async function takeForm(
  parts: FormParts,
  { request, reply, back }: Asked & { readonly back: string },
  act: (viewer: Viewer) => Promise<Outcome>,
): Promise<FastifyReply> {
  const viewer = await whoseForm(parts, { request, reply, back });
  if (viewer === null) return reply;
  const outcome = await act(viewer);
  if ("to" in outcome) return reply.redirect(outcome.to, 303);
  const frame = await frameOf(parts, request, viewer);
  if (!isApiRefusal(outcome)) return sendPage(reply, outcome, frame);
  recordRefusal(parts, { request, viewer, reason: `${outcome.code}: ${outcome.message}` });
  const title = outcome.code === "not_found" ? "Not found" : "Nothing was done";
  return sendPage(reply.code(apiStatusOf[outcome.code]), messagePage(title, outcome.message), frame);
}
