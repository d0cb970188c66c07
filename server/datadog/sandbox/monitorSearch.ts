/** Searching monitors, and the groups that they watch: https://docs.datadoghq.com/api/latest/monitors/#monitors-search. */

import { type Answer, ok, refused } from "./answer.ts";
import type { Monitor } from "./documents.ts";
import type { JsonObject } from "./json.ts";
import { creator, type Organization } from "./organization.ts";
import { type Asked, count, slice } from "./route.ts";
import { createSearch } from "./search.ts";

const states = ["alert", "ignored", "no data", "ok", "skipped", "unknown", "warn"];

const monitorSearch = createSearch<Monitor>({
  text: (monitor) => `${monitor.name} ${monitor.message}`,
  field: (monitor, name) => {
    switch (name) {
      case "status":
        return [monitor.overall_state];
      case "tag":
        return monitor.tags;
      case "title":
        return [monitor.name];
      case "id":
        return [String(monitor.id)];
      case "type":
        return [monitor.type];
      default:
        return monitor.tags.filter((tag) => tag.startsWith(`${name}:`)).map((tag) => tag.slice(name.length + 1));
    }
  },
});

type SearchPage = {
  readonly found: readonly Monitor[];
  readonly shown: readonly Monitor[];
  readonly metadata: JsonObject;
};

const searchPage = (org: Organization, asked: Asked): SearchPage | Answer => {
  const query = asked.query.get("query") ?? "";
  const status = /(?:^|[\s-])status:("[^"]*"|\S+)/.exec(query)?.[1]?.replaceAll('"', "");
  if (status !== undefined && !states.includes(status.toLowerCase()))
    return refused(400, `Query parsing error: '${status}' is not a valid monitor status`);
  const matches = monitorSearch(query);
  if (typeof matches === "string") return refused(400, `Query parsing error: ${matches}`);
  const found = [...org.monitors.values()].filter(matches);
  const page = count(asked, "page", 0);
  const limit = Math.max(1, count(asked, "per_page", 30));
  const metadata = { page, per_page: limit, page_count: Math.ceil(found.length / limit), total_count: found.length };
  return { found, shown: slice(found, { offset: page * limit, limit }), metadata };
};

const countsOf = (found: readonly Monitor[]): JsonObject => {
  const tally = (values: readonly (string | boolean)[]): JsonObject[] =>
    [...Map.groupBy(values, (value) => value)].map(([name, same]) => ({ name, count: same.length }));
  return {
    status: tally(found.map((monitor) => monitor.overall_state)),
    type: tally(found.map((monitor) => monitor.type)),
    tag: tally(found.flatMap((monitor) => monitor.tags)),
    muted: tally(found.map((monitor) => Object.keys(monitor.options["silenced"] ?? {}).length > 0)),
  };
};

export const searchMonitors = (org: Organization, asked: Asked): Answer => {
  const page = searchPage(org, asked);
  if ("status" in page) return page;
  const monitors = page.shown.map((monitor) => ({
    id: monitor.id,
    org_id: org.id,
    name: monitor.name,
    type: monitor.type,
    query: monitor.query,
    classification: monitor.type.replace(/ alert$/, ""),
    status: monitor.overall_state,
    tags: monitor.tags,
    scopes: [],
    metrics: [],
    notifications: [],
    last_triggered_ts: null,
    quality_issues: [],
    creator: creator(org),
  }));
  return ok({ monitors, metadata: page.metadata, counts: countsOf(page.found) });
};

/** One group a monitor: those that never evaluate have no others. */
export const searchMonitorGroups = (org: Organization, asked: Asked): Answer => {
  const page = searchPage(org, asked);
  if ("status" in page) return page;
  const groups = page.shown.map((monitor) => ({
    monitor_id: monitor.id,
    monitor_name: monitor.name,
    group: "*",
    group_tags: ["*"],
    status: monitor.overall_state,
    last_nodata_ts: null,
    last_triggered_ts: null,
  }));
  const { status, type } = countsOf(page.found);
  return ok({ groups, metadata: page.metadata, counts: { status, type } });
};
