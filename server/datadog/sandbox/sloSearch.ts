/** Searching service level objectives: https://docs.datadoghq.com/api/latest/service-level-objectives/#search-for-slos. */

import { type Answer, ok } from "./answer.ts";
import type { Slo } from "./documents.ts";
import type { JsonObject } from "./json.ts";
import type { Organization } from "./organization.ts";
import { type Asked, count, slice } from "./route.ts";

export const searchSlos = (org: Organization, asked: Asked): Answer => {
  const text = asked.query.get("query")?.toLowerCase() ?? "";
  const found = [...org.slos.values()].filter(({ name, tags }) =>
    `${name} ${tags.join(" ")}`.toLowerCase().includes(text),
  );
  const size = Math.max(1, count(asked, "page[size]", 10));
  const number = count(asked, "page[number]", 0);
  const slos = slice(found, { offset: number * size, limit: size }).map((slo) => ({ data: describeHit(org, slo) }));
  const last = Math.max(0, Math.ceil(found.length / size) - 1);
  return ok({
    data: { type: "service_level_objective_search_results", attributes: { slos } },
    meta: {
      pagination: {
        type: "number_size",
        number,
        size,
        total: found.length,
        first_number: 0,
        prev_number: Math.max(0, number - 1),
        next_number: number + 1,
        last_number: last,
      },
    },
    links: linksOf(asked, { number, size, last }),
  });
};

/** Where the pages around this one are. */
const linksOf = (asked: Asked, page: { number: number; size: number; last: number }): JsonObject => {
  const path = `https://${asked.headers.host ?? "api.datadoghq.com"}/api/v1/slo/search`;
  const { number, size, last } = page;
  const query = asked.query.has("query") ? `query=${asked.query.get("query")}&` : "";
  const to = (at: number): string => `${path}?${query}page[number]=${at}&page[size]=${size}`;
  return {
    self: `${path}${asked.query.size === 0 ? "" : `?${asked.query.toString()}`}`,
    last: last === 0 ? null : to(last),
    next: to(number + 1),
    prev: number === 0 ? null : to(number - 1),
    first: to(0),
  };
};

/** Why nothing can be said of an SLO for which nothing was measured. */
const silent = "The denominator is zero valued";

const describeHit = (org: Organization, slo: Slo): JsonObject => ({
  type: "slo",
  id: slo.id,
  attributes: {
    name: slo.name,
    slo_type: slo.type,
    description: slo["description"] === "" ? null : slo["description"],
    all_tags: slo.tags,
    env_tags: slo.tags.filter((tag) => tag.startsWith("env:")),
    service_tags: slo.tags.filter((tag) => tag.startsWith("service:")),
    team_tags: slo.tags.filter((tag) => tag.startsWith("team:")),
    thresholds: slo.thresholds,
    timeframe: slo["timeframe"],
    target_threshold: slo["target_threshold"],
    warning_threshold: slo["warning_threshold"],
    monitor_ids: slo.monitor_ids ?? null,
    query: slo["query"] === undefined ? null : { metrics: null, ...(slo["query"] as JsonObject) },
    groups: null,
    creator: { name: org.me.name, id: org.me.id, email: org.me.email },
    created_at: slo["created_at"],
    modified_at: slo["modified_at"],
    status: {
      state: "no_data",
      sli: null,
      error_budget_remaining: null,
      raw_error_budget_remaining: null,
      span_precision: null,
      calculation_error: silent,
      indexed_at: slo["modified_at"],
    },
    overall_status: slo.thresholds.map(({ target, timeframe: over }) => ({
      error_budget_remaining: null,
      raw_error_budget_remaining: null,
      indexed_at: slo["modified_at"],
      status: null,
      span_precision: null,
      error: silent,
      target,
      state: "no_data",
      timeframe: over,
    })),
  },
});
