/** Logs as the intakes take them: https://docs.datadoghq.com/api/latest/logs/#send-logs. */

import { z } from "zod";
import { accepted, type Answer, ok } from "./answer.ts";
import type { LogEntry } from "./documents.ts";
import { loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, onIntake, post, type Route } from "./route.ts";

const item = loose({
  message: z.unknown(),
  ddsource: z.string().optional(),
  ddtags: z.string().optional(),
  hostname: z.string().optional(),
  service: z.string().optional(),
  status: z.string().optional(),
});
const items = z.union([z.array(item).max(1000), item.transform((one) => [one])]);

const intakes = ["http-intake.logs", "agent-http-intake.logs", "lambda-http-intake.logs", "gcp-intake.logs"];

export const logIntakeRoutes = (org: Organization): readonly Route[] =>
  intakes.flatMap((host) =>
    [
      post("/api/v2/logs", (asked) => take(org, asked, accepted({}))),
      post("/v1/input", (asked) => take(org, asked, ok({}))),
      post("/v1/input/{api_key}", (asked) => take(org, asked, ok({}))),
    ].map((route) => onIntake(host, route)),
  );

/** Items may be JSON, one or a list, or plain text, one a line; tags may also come in the query. */
const take = (org: Organization, asked: Asked, answer: Answer): Answer => {
  const keep = (body: z.infer<typeof items>): Answer => {
    for (const each of body) org.logs.add(readItem(org, asked, each));
    return answer;
  };
  if (asked.json !== undefined) return accept(asked, items, keep);
  const lines = asked.bytes.toString("utf8").split("\n");
  return keep(lines.filter((line) => line.trim() !== "").map((message) => ({ message })));
};

const readItem = (org: Organization, asked: Asked, each: z.infer<typeof item>): LogEntry => {
  const { message, ddsource, ddtags, hostname, service, status, ...attributes } = each;
  const tags = [ddtags ?? "", asked.query.get("ddtags") ?? ""].flatMap((list) => list.split(","));
  return {
    id: `AQ${org.ids.word(30)}`,
    at: org.clock(),
    message: typeof message === "string" ? message : "",
    status: (status ?? "info").toLowerCase(),
    service: service ?? asked.query.get("service"),
    host: hostname ?? asked.query.get("hostname"),
    source: ddsource ?? asked.query.get("ddsource"),
    tags: tags.map((tag) => tag.trim()).filter((tag) => tag !== ""),
    attributes,
  };
};
