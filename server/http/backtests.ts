/** An edited policy text tried on recordings over HTTP: for auditor and admin, and never for longer than somebody waits for it. */

import type { FastifyReply } from "fastify";
import { policyBacktest, type PolicyBacktestJson, policyText } from "../contract.ts";
import { isApiRefusal } from "../errors.ts";
import type { CallName } from "../journeys/policy/backtest.ts";
import { type Tried, type TryParts, tryPolicyText } from "../journeys/policy/tryText.ts";
import { type AccessParts, admit, knownReader, refusals, turnAway } from "./access.ts";
import { sessionUrl } from "./json.ts";
import type { Api } from "./zodRoutes.ts";

export type BacktestRoutes = AccessParts & TryParts & { readonly publicUrl: string };

export const registerBacktests = async (api: Api, parts: BacktestRoutes): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "POST",
    url: "/policies/backtest",
    schema: {
      summary: "Which recorded calls of the last days an edited policy would decide otherwise; for auditor and admin",
      description:
        "text is a policy: block alone; ${…} is never replaced in it. It never comes into force. Either problems are listed, or there is a report. One at a time for each asker; it ends when the connection does.",
      security: [{ access: [] }],
      body: policyText,
      response: { 200: policyBacktest, ...refusals, 413: refusals[400] },
    },
    handler: async (request, reply) => {
      const asked = { ...request.body, signal: goneOf(reply) };
      const tried = await tryPolicyText(parts, knownReader(request), asked);
      if (isApiRefusal(tried)) return reply.send(turnAway(parts, { request, reply }, tried));
      return backtestJson(parts.publicUrl, tried);
    },
  });
};

export const goneOf = (reply: FastifyReply): AbortSignal => {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
};

export const backtestJson = (publicUrl: string, tried: Tried): PolicyBacktestJson => {
  if (tried.kind === "problems") return { problems: [...tried.problems], report: null };
  const { report } = tried;
  const linked = ({ session_id, n }: CallName): { id: string; url: string } => ({
    id: `${session_id}/${n}`,
    url: `${sessionUrl(publicUrl, session_id)}/calls/${n}`,
  });
  return {
    problems: [],
    report: {
      ...report,
      since: report.since.toISOString(),
      looked_until: report.looked_until?.toISOString() ?? null,
      unsettled: { count: report.unsettled.count, examples: report.unsettled.examples.map(linked) },
      groups: report.groups.map((group) => ({
        ...group,
        rules: [...group.rules],
        rules_before: [...group.rules_before],
        examples: group.examples.map(linked),
      })),
      rules: [...report.rules],
    },
  };
};
