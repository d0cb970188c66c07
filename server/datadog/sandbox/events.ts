/** Events: posted and listed through v1, posted to the intake and searched through v2. https://docs.datadoghq.com/api/latest/events/. */

import { z } from "zod";
import { accepted, type Answer, ok, refused } from "./answer.ts";
import type { Happening } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, get, looking, onIntake, post, type Route, withApiKeyAlone } from "./route.ts";
import { createSearch, type Search } from "./search.ts";
import { epoch, readTime, seconds } from "./time.ts";
import { pageOf } from "./window.ts";

const oldDraft = loose({
  title: z.string().min(1),
  text: z.string(),
  date_happened: epoch.nullish(),
  priority: z.enum(["normal", "low"]).nullish(),
  alert_type: z.enum(["error", "warning", "info", "success", "user_update", "recommendation", "snapshot"]).nullish(),
  tags: z.array(z.string()).nullish(),
  host: z.string().nullish(),
  source_type_name: z.string().nullish(),
  aggregation_key: z.string().max(100).nullish(),
});

const draft = z.object({
  data: z.object({
    type: z.literal("event"),
    attributes: loose({
      title: z.string().min(1).max(500),
      category: z.enum(["alert", "change"]),
      attributes: loose({}),
      message: z.string().max(4000).nullish(),
      tags: z.array(z.string()).max(100).nullish(),
      timestamp: z.iso.datetime({ offset: true }).nullish(),
      aggregation_key: z.string().max(100).nullish(),
      host: z.string().nullish(),
      integration_id: z.string().nullish(),
    }),
  }),
});

const search = loose({
  filter: loose({ query: z.string(), from: z.string(), to: z.string() }).partial().optional(),
  page: z
    .object({ limit: z.number().int().max(1000), cursor: z.string() })
    .partial()
    .optional(),
  sort: z.enum(["timestamp", "-timestamp"]).optional(),
});

/** https://docs.datadoghq.com/api/latest/events/#post-an-event: older ones are refused. */
const oldestSeconds = 18 * 3600;

const eventSearch: Search<Happening> = createSearch<Happening>({
  text: ({ title, text }) => `${title} ${text}`,
  field: (event, name) => {
    switch (name) {
      case "source":
        return [event.source];
      case "status":
        return [event.alert_type];
      case "priority":
        return [event.priority];
      case "host":
        return event.host === null ? [] : [event.host];
      default:
        return event.tags.filter((tag) => tag.startsWith(`${name}:`)).map((tag) => tag.slice(name.length + 1));
    }
  },
});

export const eventRoutes = (org: Organization): readonly Route[] => {
  const byId = (asked: Asked): Happening | undefined => {
    const id = asked.params["event_id"];
    return org.events.items.find((event) => String(event.id) === id || event.uid === id);
  };
  const one = looking(byId, () => "Event not found");

  return [
    withApiKeyAlone(post("/api/v1/events", (asked) => accept(asked, oldDraft, (body) => postOldEvent(org, body)))),
    get("/api/v1/events", (asked) => listOldEvents(org, asked)),
    get(
      "/api/v1/events/{event_id}",
      one((event) => ok({ event: describeOld(event) })),
    ),
    onIntake(
      "event-management-intake",
      post("/api/v2/events", (asked) => accept(asked, draft, (body) => postEvent(org, body))),
    ),
    post("/api/v2/events/search", (asked) =>
      accept(asked, search, ({ filter = {}, page = {}, sort = "timestamp" }) =>
        searchEvents(org, { ...filter, ...page, sort }),
      ),
    ),
    get("/api/v2/events", (asked) =>
      searchEvents(org, {
        query: asked.query.get("filter[query]") ?? undefined,
        from: asked.query.get("filter[from]") ?? undefined,
        to: asked.query.get("filter[to]") ?? undefined,
        limit: count(asked, "page[limit]", 10),
        cursor: asked.query.get("page[cursor]") ?? undefined,
        sort: asked.query.get("sort") === "-timestamp" ? "-timestamp" : "timestamp",
      }),
    ),
    get(
      "/api/v2/events/{event_id}",
      one((event) => ok({ data: describe(event) })),
    ),
  ];
};

const postOldEvent = (org: Organization, body: z.infer<typeof oldDraft>): Answer => {
  const now = org.clock();
  const at = body.date_happened == null ? now : new Date(body.date_happened * 1000);
  if (seconds(now) - seconds(at) > oldestSeconds) return refused(400, "Event too far in the past");
  const event: Happening = {
    id: org.ids.int64(),
    uid: org.ids.word(24),
    at,
    title: body.title,
    text: body.text,
    tags: body.tags ?? [],
    host: body.host ?? null,
    priority: body.priority ?? "normal",
    alert_type: body.alert_type ?? "info",
    source: body.source_type_name ?? "api",
    aggregation_key: body.aggregation_key ?? null,
    attributes: {},
  };
  org.events.add(event);
  return accepted({ status: "ok", event: describeOld(event) });
};

const postEvent = (org: Organization, { data: { attributes } }: z.infer<typeof draft>): Answer => {
  const event: Happening = {
    id: org.ids.int64(),
    uid: org.ids.word(24),
    at: attributes.timestamp == null ? org.clock() : new Date(attributes.timestamp),
    title: attributes.title,
    text: attributes.message ?? "",
    tags: attributes.tags ?? [],
    host: attributes.host ?? null,
    priority: "normal",
    alert_type: attributes.category === "alert" ? "error" : "info",
    source: attributes.integration_id ?? (attributes.category === "change" ? "change_event" : "custom-events"),
    aggregation_key: attributes.aggregation_key ?? null,
    attributes: attributes.attributes,
  };
  org.events.add(event);
  return accepted({
    data: { type: "event", id: "_", attributes: { attributes: { evt: { id: String(event.id), uid: event.uid } } } },
    links: { self: `https://app.datadoghq.com/event/event?uid=${event.uid}` },
  });
};

const listOldEvents = (org: Organization, asked: Asked): Answer => {
  const start = count(asked, "start", Number.NaN);
  const end = count(asked, "end", Number.NaN);
  if (!(start <= end)) return refused(400, "The parameters 'start' and 'end' are required, in seconds");
  const tags = (asked.query.get("tags") ?? "").split(",").filter((tag) => tag !== "");
  const sources = (asked.query.get("sources") ?? "").split(",").filter((source) => source !== "");
  const priority = asked.query.get("priority");
  const found = org.events.items.filter(
    (event) =>
      seconds(event.at) >= start &&
      seconds(event.at) <= end &&
      (priority === null || event.priority === priority) &&
      (sources.length === 0 || sources.includes(event.source)) &&
      tags.every((tag) => event.tags.includes(tag)),
  );
  const newest = found.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, 1000);
  return ok({ status: "ok", events: newest.map(describeOld) });
};

type Wanted = {
  readonly query?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly sort: "timestamp" | "-timestamp";
};

const searchEvents = (org: Organization, wanted: Wanted): Answer => {
  const now = org.clock();
  const from = readTime(wanted.from ?? "now-15m", now);
  const to = readTime(wanted.to ?? "now", now);
  const matches = eventSearch(wanted.query ?? "*");
  if (from === undefined || to === undefined) return refused(400, "Invalid time in filter");
  if (typeof matches === "string") return refused(400, `Invalid query: ${matches}`);
  const found = org.events.items.filter((event) => event.at >= from && event.at <= to && matches(event));
  const { shown, after } = pageOf(found, { ...wanted, idOf: (event) => String(event.id) });
  return ok({
    data: shown.map(describe),
    ...(after === undefined ? {} : { meta: { page: { after } } }),
  });
};

/** `id` is a number beyond 2^53 here, as it is at Datadog; `id_str` is for those who cannot hold it. */
const describeOld = (event: Happening): JsonObject => ({
  id: event.id,
  id_str: String(event.id),
  title: event.title,
  text: event.text,
  date_happened: seconds(event.at),
  tags: event.tags,
  host: event.host,
  device_name: null,
  priority: event.priority,
  alert_type: event.alert_type,
  source: event.source,
  url: `/event/event?id=${event.id}`,
});

const describe = (event: Happening): JsonObject => ({
  type: "event",
  id: event.uid,
  attributes: {
    timestamp: event.at.toISOString(),
    message: event.text,
    tags: event.tags,
    attributes: {
      ...event.attributes,
      title: event.title,
      timestamp: event.at.getTime(),
      evt: { id: String(event.id), uid: event.uid, name: event.title, type: "event", source_id: 36 },
      ...(event.host === null ? {} : { hostname: event.host }),
      ...(event.aggregation_key === null ? {} : { aggregation_key: event.aggregation_key }),
    },
  },
});
