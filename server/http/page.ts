/** Sends pages: in a frame that says who is signed in and what waits, and refusals in words. */

import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ApiRefusal, apiStatusOf, isApiRefusal } from "../errors.ts";
import { countPending, type ReadParts } from "../journeys/approval/read.ts";
import type { Viewer } from "../journeys/approval/page.ts";
import { readerName } from "../journeys/history.ts";
import { type Frame, layout, nobody, type Page } from "../web/layout.ts";
import { messagePage, signInPage } from "../web/signIn.ts";
import { refusalOf } from "./complain.ts";
import type { SignIn } from "./signIn.ts";

export type Asked = { readonly request: FastifyRequest; readonly reply: FastifyReply };

export type FrameParts = { readonly signIn: SignIn; readonly approvals: ReadParts };

export const sendPage = (reply: FastifyReply, page: Page, frame: Frame = nobody): FastifyReply =>
  reply.type("text/html; charset=utf-8").send(layout(page, frame).text);

/** To whoever is signed in; to everybody else the page on which they can. */
export async function show(
  parts: FrameParts,
  { request, reply }: Asked,
  page: (viewer: Viewer) => Promise<Page | ApiRefusal>,
): Promise<FastifyReply> {
  const viewer = await parts.signIn.viewer(request);
  if (viewer === null) return sendPage(reply.code(401), signInPage(parts.signIn.ways(request.url)));
  const content = await page(viewer);
  const frame = await frameOf(parts, request, viewer);
  return isApiRefusal(content)
    ? sendPage(reply.code(apiStatusOf[content.code]), refusalPage(content), frame)
    : sendPage(reply, content, frame);
}

export async function frameOf(
  { signIn, approvals }: FrameParts,
  request: FastifyRequest,
  { reader, person }: Viewer,
): Promise<Frame> {
  return {
    // A number in the corner is no reason to show no page.
    pending: await countPending(approvals, reader).catch(() => null),
    signedIn: [...new Set([...(person === null ? [] : [person.name]), readerName(reader)])],
    form: signIn.cookies.formToken(request),
  };
}

export const refusalPage = ({ code, message }: ApiRefusal): Page =>
  messagePage(code === "not_found" ? "Not found" : "Not shown", message);

/** An address that no link of ours has is not found; what else went wrong is said without a word of the inside. */
export function answerPageError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof z.ZodError) return sendPage(reply.code(404), noSuchPage);
  const refusal = refusalOf(error);
  if (refusal !== null) return sendPage(reply.code(apiStatusOf[refusal.code]), refusalPage(refusal));
  request.log.error({ err: error, route: request.routeOptions.url }, "a page failed");
  return sendPage(reply.code(500), brokenPage);
}

const noSuchPage = messagePage(
  "Not found",
  "There is no such session, call, replay, approval or policy. Links to recordings end in /sessions/ID or /sessions/ID/calls/N.",
);

const brokenPage = messagePage("Not shown", "Something is broken in the gateway; its log says what.");

/**
 * What every page of ours may load and be loaded by: its own files, nothing inline, nothing from elsewhere, in nobody's frame. No text
 * becomes markup or code by a script's mistake: no Trusted Types policy may be made that would let it.
 */
export const strictPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", "data:"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
} as const;
