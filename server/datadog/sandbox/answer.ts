/** What the sandbox answers, in Datadog's shapes: JSON, or `{"errors": ["…"]}`. */

import type { Json } from "./json.ts";

export type Answer = {
  readonly status: number;
  /** Undefined: no body. */
  readonly body: Json | undefined;
  readonly contentType?: string;
};

export const ok = (body: Json): Answer => ({ status: 200, body });

export const created = (body: Json): Answer => ({ status: 201, body });

export const accepted = (body: Json): Answer => ({ status: 202, body });

export const noContent: Answer = { status: 204, body: undefined };

/** How Datadog's metric and check intakes say that they took something. */
export const taken: Answer = { status: 202, body: { status: "ok" }, contentType: "text/json" };

/** The content type of those of Datadog's services that name JSON:API. */
export const jsonApi = (answer: Answer): Answer => ({ ...answer, contentType: "application/vnd.api+json" });

type Refusal = 400 | 403 | 404 | 409 | 413 | 415 | 422;

/** A refusal of such a service: `{"errors": [{"status": "…", "title": "…", "detail": "…"}]}`. */
export const problem = (status: Refusal, title: string, detail: string): Answer =>
  jsonApi({ status, body: { errors: [{ status: String(status), title, detail }] } });

export const refused = (status: Refusal, ...errors: readonly string[]): Answer => ({
  status,
  body: { errors },
});
