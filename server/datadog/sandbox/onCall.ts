/** Schedules and escalation policies of On-Call, v2: https://docs.datadoghq.com/api/latest/on-call/. Nobody is paged from here. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok } from "./answer.ts";
import { type JsonObject, loose, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, post, put, type Route } from "./route.ts";

const teams = loose({ data: z.array(loose({ id: z.string(), type: z.literal("teams") })) });
const relationships = loose({ teams: teams.optional() }).optional();

const layer = loose({
  id: z.string().optional(),
  name: z.string().optional(),
  effective_date: z.iso.datetime({ offset: true }),
  end_date: z.iso.datetime({ offset: true }).nullish(),
  interval: loose({}),
  members: z.array(loose({ user: loose({ id: z.string() }).nullish() })),
  rotation_start: z.iso.datetime({ offset: true }),
});

const step = loose({
  id: z.string().optional(),
  assignment: z.enum(["default", "round-robin"]).optional(),
  escalate_after_seconds: z.number().int().min(60).max(36_000).optional(),
  targets: z.array(loose({ id: z.string(), type: z.enum(["users", "schedules", "teams"]) })).min(1),
});

const schedule = z.object({
  data: loose({
    type: z.literal("schedules"),
    attributes: loose({ name: z.string().min(1), time_zone: z.string().min(1), layers: z.array(layer).min(1) }),
    relationships,
  }),
});
const policy = z.object({
  data: loose({
    type: z.literal("policies"),
    attributes: loose({ name: z.string().min(1), steps: z.array(step).min(1) }),
    relationships,
  }),
});

/** Of a schedule its layers, of a policy its steps; each with an id. */
type Duty = {
  readonly id: string;
  readonly attributes: JsonObject;
  readonly parts: readonly (JsonObject & { readonly id: string })[];
  readonly teams: readonly string[];
};

type Kind = {
  readonly path: string;
  readonly type: "schedules" | "policies";
  readonly parts: "layers" | "steps";
  readonly one: string;
  readonly draft: z.ZodType<z.infer<typeof schedule> | z.infer<typeof policy>>;
};

export const onCallRoutes = (org: Organization): readonly Route[] => [
  ...dutyRoutes(org, {
    path: "/api/v2/on-call/schedules",
    type: "schedules",
    parts: "layers",
    one: "schedule",
    draft: schedule,
  }),
  ...dutyRoutes(org, {
    path: "/api/v2/on-call/escalation-policies",
    type: "policies",
    parts: "steps",
    one: "policy",
    draft: policy,
  }),
];

const dutyRoutes = (org: Organization, kind: Kind): readonly Route[] => {
  const { path } = kind;
  const duties = org.room.shelf<string, Duty>();
  const one = (handle: (duty: Duty, asked: Asked) => Answer) => (asked: Asked) => {
    const id = asked.params["duty_id"] ?? "";
    const duty = duties.get(id);
    return duty === undefined ? notFound(`${kind.one}[${id}] not found`) : handle(duty, asked);
  };
  const keep = (id: string, asked: Asked, status: typeof ok): Answer =>
    accept(asked, kind.draft, ({ data }) => {
      const { [kind.parts]: told, ...attributes } = data.attributes as JsonObject;
      const parts = (told as readonly JsonObject[]).map((part) => ({
        ...part,
        id: typeof part["id"] === "string" ? part["id"] : org.ids.uuid(),
      }));
      const duty = { id, attributes, parts, teams: (data.relationships?.teams?.data ?? []).map((team) => team.id) };
      duties.set(id, duty);
      return jsonApi(status(answer(kind, duty, asked)));
    });

  return [
    post(path, (asked) => keep(org.ids.uuid(), asked, created)),
    get(
      `${path}/{duty_id}`,
      one((duty, asked) => jsonApi(ok(answer(kind, duty, asked)))),
    ),
    put(
      `${path}/{duty_id}`,
      one(({ id }, asked) => keep(id, asked, ok)),
    ),
    del(
      `${path}/{duty_id}`,
      one(({ id }) => {
        duties.delete(id);
        return noContent;
      }),
    ),
  ];
};

export const notFound = (detail: string): Answer =>
  jsonApi({ status: 404, body: { errors: [{ title: "Generic Error", detail }] } });

/** `include=steps.targets` names what else is answered: the parts, and what these name. */
const answer = (kind: Kind, { id, attributes, parts, teams }: Duty, asked: Asked): JsonObject => {
  const wanted = (asked.query.get("include") ?? "").split(",");
  const whole = parts.flatMap((part) => (kind.parts === "steps" ? describeStep(part) : describeLayer(part)));
  return {
    data: {
      id,
      type: kind.type,
      attributes,
      relationships: {
        [kind.parts]: { data: parts.map((part) => ({ id: part.id, type: kind.parts })) },
        teams: { data: teams.map((team) => ({ id: team, type: "teams" })) },
      },
    },
    ...(wanted.some((name) => name.split(".")[0] === kind.parts) ? { included: whole } : {}),
  };
};

const describeLayer = ({ id, members, ...attributes }: JsonObject): readonly JsonObject[] => [
  {
    id,
    type: "layers",
    attributes,
    relationships: {
      members: {
        data: (members as readonly { user?: { id: string } | null }[]).map(({ user }) => ({
          id: user?.id ?? "",
          type: "members",
        })),
      },
    },
  },
];

/** A target that is somebody's place in a schedule has an id of its own. */
const describeStep = ({ id, targets, ...attributes }: JsonObject): readonly JsonObject[] => {
  const named = (targets as readonly JsonObject[]).map((target) => {
    const place = (target["config"] as { schedule?: { position?: string } } | undefined)?.schedule?.position;
    return { target, place };
  });
  const places = named.flatMap(({ target, place }) =>
    place === undefined
      ? []
      : [
          {
            id: `${textOf(target["id"])}_${place}`,
            type: "schedule_target",
            attributes: { position: place },
            relationships: { schedule: { data: { id: target["id"], type: "schedules" } } },
          },
        ],
  );
  const data = named.map(({ target, place }) =>
    place === undefined
      ? { id: target["id"], type: target["type"] }
      : { id: `${textOf(target["id"])}_${place}`, type: "schedule_target" },
  );
  return [{ id, type: "steps", attributes, relationships: { targets: { data } } }, ...places];
};
