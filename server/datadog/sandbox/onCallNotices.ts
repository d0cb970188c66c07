/** How people on call are reached, v2: https://docs.datadoghq.com/api/latest/on-call/#create-an-on-call-notification-channel-for-a-user. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok } from "./answer.ts";
import type { Person } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import { notFound } from "./onCall.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, type Handler, post, put, type Route } from "./route.ts";

type Notice = {
  readonly id: string;
  readonly user: string;
  readonly attributes: JsonObject;
  readonly channel?: string;
};

const channel = z.object({
  data: loose({
    type: z.literal("notification_channels"),
    attributes: loose({ config: loose({ type: z.enum(["email", "phone", "push"]) }) }),
  }),
});

const rule = z.object({
  data: loose({
    type: z.literal("notification_rules"),
    attributes: loose({
      category: z.enum(["high_urgency", "low_urgency"]),
      delay_minutes: z.number().int().min(0),
    }),
    relationships: loose({ channel: z.object({ data: loose({ id: z.string() }) }) }),
  }),
});

const base = "/api/v2/on-call/users/{user_id}";

export const onCallNoticeRoutes = (org: Organization): readonly Route[] => {
  const channels = org.room.shelf<string, Notice>();
  const rules = org.room.shelf<string, Notice>();
  const person =
    (handle: (person: Person, asked: Asked) => Answer): Handler =>
    (asked) => {
      const id = asked.params["user_id"] ?? "";
      const found = org.people.get(id);
      return found === undefined ? notFound(`user[${id}] not found`) : handle(found, asked);
    };
  const one =
    (shelf: Map<string, Notice>, handle: (notice: Notice, asked: Asked) => Answer): Handler =>
    (asked) => {
      const id = asked.params["notice_id"] ?? "";
      const found = shelf.get(id);
      return found === undefined || found.user !== asked.params["user_id"]
        ? notFound(`notification[${id}] not found`)
        : handle(found, asked);
    };
  const of = (shelf: Map<string, Notice>, user: string): readonly Notice[] =>
    [...shelf.values()].filter((notice) => notice.user === user);
  const answer = (notices: readonly Notice[], asked: Asked): JsonObject => {
    const named = [...new Set(notices.map(({ channel: id = "" }) => id))];
    const included = named.map((id) => channels.get(id)).filter((each) => each !== undefined);
    return asked.query.get("include") === "channel" ? { included: included.map(describeChannel) } : {};
  };
  const keepRule = (asked: Asked, known: { id: string; user: string }, status: typeof ok): Answer =>
    accept(asked, rule, ({ data }) => {
      const { id } = data.relationships.channel.data;
      if (channels.get(id)?.user !== known.user) return notFound(`notification[${id}] not found`);
      const next = { ...known, attributes: data.attributes, channel: id };
      rules.set(next.id, next);
      return jsonApi(status({ data: describeRule(next), ...answer([next], asked) }));
    });

  return [
    get(
      `${base}/notification-channels`,
      person(({ uuid }) => jsonApi(ok({ data: of(channels, uuid).map(describeChannel) }))),
    ),
    post(
      `${base}/notification-channels`,
      person(({ uuid }, asked) =>
        accept(asked, channel, ({ data }) => {
          const next = { id: org.ids.uuid(), user: uuid, attributes: { active: true, ...data.attributes } };
          channels.set(next.id, next);
          return jsonApi(created({ data: describeChannel(next) }));
        }),
      ),
    ),
    get(
      `${base}/notification-channels/{notice_id}`,
      one(channels, (found) => jsonApi(ok({ data: describeChannel(found) }))),
    ),
    del(
      `${base}/notification-channels/{notice_id}`,
      one(channels, ({ id }) => {
        channels.delete(id);
        return noContent;
      }),
    ),
    get(
      `${base}/notification-rules`,
      person(({ uuid }, asked) => {
        const own = of(rules, uuid);
        return jsonApi(ok({ data: own.map(describeRule), ...answer(own, asked) }));
      }),
    ),
    post(
      `${base}/notification-rules`,
      person(({ uuid }, asked) => keepRule(asked, { id: org.ids.uuid(), user: uuid }, created)),
    ),
    get(
      `${base}/notification-rules/{notice_id}`,
      one(rules, (found, asked) => jsonApi(ok({ data: describeRule(found), ...answer([found], asked) }))),
    ),
    put(
      `${base}/notification-rules/{notice_id}`,
      one(rules, ({ id, user }, asked) => keepRule(asked, { id, user }, ok)),
    ),
    del(
      `${base}/notification-rules/{notice_id}`,
      one(rules, ({ id }) => {
        rules.delete(id);
        return noContent;
      }),
    ),
  ];
};

const describeChannel = ({ id, attributes }: Notice): JsonObject => ({ id, type: "notification_channels", attributes });

const describeRule = ({ id, attributes, channel: at }: Notice): JsonObject => ({
  id,
  type: "notification_rules",
  attributes,
  relationships: { channel: { data: { id: at, type: "notification_channels" } } },
});
