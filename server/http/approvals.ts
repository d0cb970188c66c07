/** Approvals over HTTP: listed, waited for, and answered by people. */

import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { approval, approvalAnswer, page } from "../contract.ts";
import { type ApiRefusal, isApiRefusal, refuseApi } from "../errors.ts";
import { type AnswerParts, answerOnPage } from "../journeys/approval/answer.ts";
import { awaitApproval, listApprovals, type ReadParts } from "../journeys/approval/read.ts";
import { approvalStates } from "../model/approval.ts";
import { approvalJson } from "../stages/reply/accepted.ts";
import { type AccessParts, admit, isFromOurPage, knownReader, notFromHere, turnAway, refusals } from "./access.ts";
import { goneOf } from "./backtests.ts";
import { pageJson } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type ApprovalsParts = AccessParts & {
  readonly publicUrl: string;
  readonly approvals: ReadParts & AnswerParts;
};

const params = z.object({ id: z.uuid() });
const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(500).optional(),
  state: z.enum(approvalStates).optional(),
});
const waitQuery = z.strictObject({ wait: z.coerce.number().min(0).max(25).default(0) });
const security = [{ session: [] }, { access: [] }];

export const registerApprovals = async (api: Api, parts: ApprovalsParts): Promise<void> => {
  await api.register(async (scope) => registerReading(scope as Api, parts));
  registerAnswering(api, parts);
};

const registerReading = (api: Api, parts: ApprovalsParts): void => {
  const { publicUrl, approvals } = parts;
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/approvals",
    schema: {
      summary: "Approvals, newest first; a session sees its own, a person those of repositories they may read",
      security,
      querystring: listQuery,
      response: { 200: page(approval), ...refusals },
    },
    handler: async (request, reply) => {
      const found = await listApprovals(approvals, knownReader(request), request.query);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return pageJson(found, (item) => approvalJson(publicUrl, item));
    },
  });
  api.route({
    method: "GET",
    url: "/approvals/:id",
    schema: {
      summary: "One approval; with wait, as soon as it is decided, or after so many seconds as it is",
      security,
      params,
      querystring: waitQuery,
      response: { 200: approval, ...refusals },
    },
    handler: async (request, reply) => {
      const waiting = { id: request.params.id, ms: request.query.wait * 1000, signal: goneOf(reply) };
      const found = await awaitApproval(approvals, knownReader(request), waiting);
      if (isApiRefusal(found)) return reply.send(turnAway(parts, { request, reply }, found));
      return approvalJson(publicUrl, found);
    },
  });
};

/** Whoever holds a token, of a session or of an access, is told that no token answers, and the attempt is recorded. */
const registerAnswering = (api: Api, parts: ApprovalsParts): void => {
  api.route({
    method: "POST",
    url: "/approvals/:id/answer",
    schema: {
      summary: "Approve or deny, as a person who is signed in; no token ever answers",
      security: [],
      params,
      body: approvalAnswer,
      response: { 200: approval, ...refusals },
    },
    preParsing: async (request, reply) => {
      const refusal = await whyNoPerson(parts, request);
      if (refusal !== null) await reply.send(turnAway(parts, { request, reply }, refusal));
    },
    handler: async (request, reply) => {
      const person = await parts.person(request);
      const answered =
        person === null
          ? nobody
          : await answerOnPage(parts.approvals, person, { id: request.params.id, ...request.body });
      if (isApiRefusal(answered)) return reply.send(turnAway(parts, { request, reply }, answered));
      return approvalJson(parts.publicUrl, answered);
    },
  });
};

const nobody = refuseApi("token_missing", "nobody is signed in: approvals are answered on their page, by people");

async function whyNoPerson(parts: ApprovalsParts, request: FastifyRequest): Promise<ApiRefusal | null> {
  if (request.headers.authorization !== undefined)
    return refuseApi("forbidden", "a token does not answer: approvals are answered by people who are signed in");
  if ((await parts.person(request)) === null) return nobody;
  return isFromOurPage(parts, request) ? null : notFromHere;
}
