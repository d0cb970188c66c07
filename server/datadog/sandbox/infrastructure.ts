/** Key validation, service checks, hosts and Datadog's own addresses. */

import { z } from "zod";
import { ok, taken } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, count, get, post, type Route, slice, withApiKeyAlone } from "./route.ts";
import { epoch, seconds } from "./time.ts";

const check = loose({
  check: z.string().min(1),
  host_name: z.string(),
  /** 0 OK, 1 warning, 2 critical, 3 unknown. */
  status: z.number().int().min(0).max(3),
  tags: z.array(z.string()).default([]),
  message: z.string().nullish(),
  timestamp: epoch.nullish(),
});
const checks = z.union([z.array(check), check.transform((one) => [one])]);

export const infrastructureRoutes = (org: Organization): readonly Route[] => [
  withApiKeyAlone(get("/api/v1/validate", () => ok({ valid: true }))),
  withApiKeyAlone(
    post("/api/v1/check_run", (asked) =>
      accept(asked, checks, (body) => {
        for (const { check, host_name: host, status, tags, timestamp } of body) {
          org.checks.add({
            check,
            host,
            status,
            tags,
            at: timestamp == null ? org.clock() : new Date(timestamp * 1000),
          });
        }
        return taken;
      }),
    ),
  ),
  get("/api/v1/hosts", (asked) => {
    const text = (asked.query.get("filter") ?? "").replace(/^host:/, "");
    const found = hostsOf(org).filter(({ name }) => name.includes(text));
    const shown = slice(found, { offset: count(asked, "start", 0), limit: count(asked, "count", 100) });
    return ok({
      host_list: shown,
      total_matching: found.length,
      total_returned: shown.length,
      exact_total_matching: true,
    });
  }),
  get("/api/v1/hosts/totals", () => {
    const total = hostsOf(org).length;
    return ok({ total_active: total, total_up: total });
  }),
  // A public document: no keys.
  { host: "ip-ranges", method: "GET", path: "/", keys: "none", handle: () => ok(addresses(org)) },
];

/** Every host that a metric or a check named. */
const hostsOf = ({ points, checks }: Organization): readonly (JsonObject & { readonly name: string })[] => {
  const seen = [
    ...points.items.flatMap(({ tags, at }) =>
      tags.filter((tag) => tag.startsWith("host:")).map((tag) => ({ name: tag.slice("host:".length), at })),
    ),
    ...checks.items.map(({ host: name, at }) => ({ name, at })),
  ];
  return [...Map.groupBy(seen, ({ name }) => name)].map(([name, reports]) => ({
    name,
    host_name: name,
    aliases: [name],
    apps: [],
    sources: ["api"],
    tags_by_source: {},
    is_muted: false,
    mute_timeout: null,
    last_reported_time: seconds(reports.map(({ at }) => at).reduce((last, at) => (at > last ? at : last))),
    up: true,
  }));
};

const purposes = ["agents", "api", "apm", "global", "logs", "orchestrator", "process", "synthetics", "webhooks"];

/** Addresses reserved for documentation (RFC 5737, RFC 3849): nobody should open a firewall for a sandbox. */
const addresses = (org: Organization): JsonObject => ({
  version: 1,
  modified: org.me.created.toISOString().slice(0, 19).replace(/[T:]/g, "-"),
  ...Object.fromEntries(
    purposes.map((purpose) => [purpose, { prefixes_ipv4: ["192.0.2.0/24"], prefixes_ipv6: ["2001:db8::/32"] }]),
  ),
});
