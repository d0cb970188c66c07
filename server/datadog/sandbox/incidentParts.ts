/** What hangs on an incident: todos, impacts and attachments. https://docs.datadoghq.com/api/latest/incidents/. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok } from "./answer.ts";
import type { Incident } from "./documents.ts";
import { maker } from "./incidents.ts";
import { except, type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { iconOf } from "./profiles.ts";
import { accept, type Asked, del, get, patch, post, type Route } from "./route.ts";
import { stamp } from "./time.ts";

type Part = {
  readonly id: string;
  readonly incident: string;
  readonly told: JsonObject;
  readonly created: Date;
  readonly modified: Date;
};

type Kind<T extends z.ZodObject> = {
  /** After the incident's own path. */
  readonly path: string;
  readonly type: string;
  readonly told: T;
  readonly missing: string;
  readonly describe: (part: Part, fresh: boolean) => JsonObject;
  readonly included?: () => readonly JsonObject[];
  readonly counted: boolean;
  /** Datadog answers one by itself. */
  readonly readable: boolean;
};

const todo = loose({
  content: z.string().min(1),
  assignees: z.array(z.union([z.string(), loose({})])),
  completed: z.string().nullish(),
  due_date: z.string().nullish(),
});
const impact = loose({
  description: z.string().min(1),
  start_at: z.iso.datetime({ offset: true }),
  end_at: z.iso.datetime({ offset: true }).nullish(),
  fields: loose({}).nullish(),
});
const attachment = loose({
  attachment_type: z.enum(["link", "postmortem"]),
  attachment: loose({ documentUrl: z.string().min(1), title: z.string().optional() }),
});

export const incidentPartRoutes = (org: Organization): readonly Route[] => {
  const user = { data: { id: org.me.uuid, type: "users" } };
  const incidentOf = (part: Part): JsonObject => ({ data: { id: part.incident, type: "incidents" } });
  return [
    ...partRoutes(org, {
      path: "relationships/todos",
      type: "incident_todos",
      told: todo,
      missing: "todo not found",
      counted: true,
      readable: true,
      describe: (part, fresh) => ({
        attributes: describeTodo(org, part, fresh),
        relationships: { created_by_user: user, last_modified_by_user: user },
      }),
    }),
    ...partRoutes(org, {
      path: "impacts",
      type: "incident_impacts",
      told: impact,
      missing: "rpc error: code = NotFound desc = impact not found: impact not found",
      counted: false,
      readable: false,
      describe: (part) => ({
        attributes: {
          created: part.created.toISOString(),
          description: part.told["description"],
          end_at: part.told["end_at"] ?? null,
          fields: part.told["fields"] ?? null,
          impact_type: "customer",
          modified: part.modified.toISOString(),
          start_at: part.told["start_at"],
        },
        relationships: { created_by_user: user, incident: incidentOf(part), last_modified_by_user: user },
      }),
    }),
    ...partRoutes(org, {
      path: "attachments",
      type: "incident_attachments",
      told: attachment,
      missing: "attachment not found",
      counted: false,
      readable: false,
      describe: (part) => ({
        attributes: { ...part.told, modified: part.modified.toISOString() },
        relationships: { incident: incidentOf(part), last_modified_by_user: user },
      }),
      included: () => [describeAuthor(org)],
    }),
  ];
};

const describeAuthor = ({ me }: Organization): JsonObject => ({
  id: me.uuid,
  type: "users",
  attributes: { email: me.email, handle: me.handle, icon: iconOf(me), name: me.name, uuid: me.uuid },
});

const describeTodo = (org: Organization, { told, created, modified, incident }: Part, fresh: boolean): JsonObject => {
  const time = (value: JsonObject[string]): string | null =>
    typeof value === "string" && !Number.isNaN(Date.parse(value))
      ? stamp(new Date(value)).replace(".000000", "")
      : null;
  const uuid = fresh ? null : org.me.uuid;
  return {
    created: stamp(created),
    modified: stamp(modified),
    completed: time(told["completed"]),
    due_date: time(told["due_date"]),
    assignees: told["assignees"],
    content: told["content"],
    created_by: maker(org),
    created_by_uuid: uuid,
    incident_id: incident,
    last_modified_by: maker(org),
    last_modified_by_uuid: uuid,
  };
};

const generic = (detail: string): Answer =>
  jsonApi({ status: 404, body: { errors: [{ title: "Generic Error", detail }] } });

const partRoutes = <T extends z.ZodObject>(org: Organization, kind: Kind<T>): readonly Route[] => {
  const path = `/api/v2/incidents/{incident_id}/${kind.path}`;
  const parts = org.room.shelf<string, Part>();
  const draft = z.object({ data: loose({ type: z.literal(kind.type), attributes: kind.told }) });
  const change = z.object({ data: loose({ type: z.literal(kind.type), attributes: kind.told.partial() }) });
  const under = (handle: (incident: Incident, asked: Asked) => Answer) => (asked: Asked) => {
    const found = org.incidents.get(asked.params["incident_id"] ?? "");
    return found === undefined ? generic("incident not found") : handle(found, asked);
  };
  const describe = (part: Part, fresh: boolean): JsonObject => ({
    type: kind.type,
    id: part.id,
    ...kind.describe(part, fresh),
  });
  const answer = (part: Part, fresh: boolean): JsonObject => ({
    data: describe(part, fresh),
    ...(kind.included === undefined ? {} : { included: kind.included() }),
  });
  const one = (handle: (part: Part, asked: Asked) => Answer) => (asked: Asked) => {
    const part = parts.get(asked.params["part_id"] ?? "");
    return part === undefined || part.incident !== asked.params["incident_id"]
      ? generic(kind.missing)
      : handle(part, asked);
  };

  return [
    get(
      path,
      under(({ id }) => {
        const own = [...parts.values()].filter(({ incident }) => incident === id);
        const size = own.length;
        const meta = kind.counted ? { meta: { pagination: { offset: 0, next_offset: size, size } } } : {};
        return ok({ data: own.map((part) => listed(describe(part, false))), ...meta });
      }),
    ),
    post(
      path,
      under(({ id }, asked) =>
        accept(asked, draft, ({ data }) => {
          const now = org.clock();
          const told = data.attributes as JsonObject;
          const part = { id: org.ids.uuid(), incident: id, told, created: now, modified: now };
          parts.set(part.id, part);
          return jsonApi(created(answer(part, true)));
        }),
      ),
    ),
    ...(kind.readable
      ? [
          get(
            `${path}/{part_id}`,
            one((part) => ok(answer(part, false))),
          ),
        ]
      : []),
    patch(
      `${path}/{part_id}`,
      one((part, asked) =>
        accept(asked, change, ({ data }) => {
          const told = { ...part.told, ...stated(data.attributes) };
          const next = { ...part, told, modified: org.clock() };
          parts.set(part.id, next);
          return jsonApi(ok(answer(next, false)));
        }),
      ),
    ),
    del(
      `${path}/{part_id}`,
      one(({ id }) => {
        parts.delete(id);
        return noContent;
      }),
    ),
  ];
};

/** In a list, people are told by their ids alone. */
const listed = (part: JsonObject): JsonObject => ({
  ...part,
  attributes: except(part["attributes"] as JsonObject, ["created_by", "last_modified_by"]),
});
