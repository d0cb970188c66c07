/** Deployment gates and their rules, v2: https://docs.datadoghq.com/api/latest/deployment-gates/. Nothing is evaluated here. */

import { z } from "zod";
import { jsonApi, noContent, ok, problem } from "./answer.ts";
import { collect } from "./collections.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, type Handler, post, put, type Route } from "./route.ts";

type Rule = { readonly id: string; readonly gate: string; readonly attributes: JsonObject };

const gate = loose({
  dry_run: z.boolean().optional(),
  env: z.string().min(1),
  identifier: z.string().min(1).optional(),
  service: z.string().min(1),
});

const rule = loose({
  dry_run: z.boolean().optional(),
  name: z.string().min(1),
  options: loose({}),
  type: z.enum(["faulty_deployment_detection", "monitor"]).optional(),
});
const ruleEnvelope = z.object({ data: loose({ type: z.literal("deployment_rule"), attributes: rule }) });

const path = "/api/v2/deployment_gates";

export const deploymentGateRoutes = (org: Organization): readonly Route[] => {
  const gates = collect(org, {
    path,
    type: "deployment_gate",
    told: gate.partial(),
    strict: true,
    made: 200,
    changedBy: "PUT",
    missing: () => "Gate does not exist",
    attributes: (told, before) =>
      before === undefined && (told.env === undefined || told.service === undefined)
        ? "env and service are required"
        : signed(org, { dry_run: false, identifier: "default", ...before, ...stated(told) }, before),
  });
  return [
    ...gates.routes.map((route) => (route.path === path ? route : { ...route, handle: checked(["id"], route.handle) })),
    ...ruleRoutes(org, (id) => gates.items.has(id)),
  ];
};

/** What cannot be an id is said to be none before anything is looked up. */
const checked =
  (names: readonly ("id" | "gate_id")[], handle: Handler): Handler =>
  (asked) => {
    const wrong = names.find((name) => !z.guid().safeParse(asked.params[name === "id" ? "item_id" : name]).success);
    return wrong === undefined ? handle(asked) : problem(400, "Bad Request", `attribute "${wrong}" Invalid id`);
  };

const signed = (org: Organization, wanted: JsonObject, before: JsonObject | undefined): JsonObject => {
  const now = org.clock().toISOString();
  const me = { id: org.me.uuid, name: org.me.name, handle: org.me.handle };
  const made = { created_at: before?.["created_at"] ?? now, created_by: before?.["created_by"] ?? me };
  return { ...wanted, ...made, updated_at: now, updated_by: me };
};

const ruleRoutes = (org: Organization, isGate: (id: string) => boolean): readonly Route[] => {
  const rules = org.room.shelf<string, Rule>();
  const at = `${path}/{gate_id}/rules`;
  const gateOf = (asked: Asked): string => asked.params["gate_id"] ?? "";
  const one = (handle: (rule: Rule, asked: Asked) => ReturnType<Handler>): Handler =>
    checked(["gate_id", "id"], (asked) => {
      const found = rules.get(asked.params["item_id"] ?? "");
      return found === undefined || found.gate !== gateOf(asked)
        ? problem(404, "Not Found", "Rule does not exist")
        : handle(found, asked);
    });
  const keep = (next: Rule) => {
    rules.set(next.id, next);
    return jsonApi(ok({ data: describe(next) }));
  };
  const attributesOf = (told: z.infer<typeof rule>, id: string, before: JsonObject | undefined): JsonObject => {
    const { excluded_resources: excluded, ...options } = told.options;
    const kept =
      Array.isArray(excluded) && excluded.length > 0 ? { ...options, excluded_resources: excluded } : options;
    return signed(org, { dry_run: false, ...before, ...stated(told), gate_id: id, options: kept }, before);
  };

  return [
    get(
      at,
      checked(["gate_id"], (asked) =>
        jsonApi(
          ok({
            data: {
              id: gateOf(asked),
              type: "list_deployment_rules",
              attributes: { rules: [...rules.values()].filter(({ gate: id }) => id === gateOf(asked)).map(describe) },
            },
          }),
        ),
      ),
    ),
    post(
      at,
      checked(["gate_id"], (asked) =>
        accept(asked, ruleEnvelope, ({ data }) =>
          isGate(gateOf(asked))
            ? keep({
                id: org.ids.uuid(),
                gate: gateOf(asked),
                attributes: attributesOf(data.attributes, gateOf(asked), undefined),
              })
            : problem(404, "Not Found", "Gate does not exist"),
        ),
      ),
    ),
    get(
      `${at}/{item_id}`,
      one((found) => jsonApi(ok({ data: describe(found) }))),
    ),
    put(
      `${at}/{item_id}`,
      one((found, asked) =>
        accept(asked, ruleEnvelope, ({ data }) =>
          keep({ ...found, attributes: attributesOf(data.attributes, found.gate, found.attributes) }),
        ),
      ),
    ),
    del(
      `${at}/{item_id}`,
      one(({ id }) => {
        rules.delete(id);
        return noContent;
      }),
    ),
  ];
};

const describe = ({ id, attributes }: Rule): JsonObject => ({ id, type: "deployment_rule", attributes });
