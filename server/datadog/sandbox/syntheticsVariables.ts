/** Global variables of Synthetics tests, v1: https://docs.datadoghq.com/api/latest/synthetics/#create-a-global-variable. */

import { z } from "zod";
import { type Answer, ok, refused } from "./answer.ts";
import type { SyntheticsVariable } from "./documents.ts";
import { type JsonObject, loose, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";

const draft = loose({
  name: z.string().regex(/^[A-Z][A-Z0-9_]+$/, "only upper-case letters, digits and underscores"),
  description: z.string(),
  tags: z.array(z.string()),
  value: loose({ value: z.string().optional(), secure: z.boolean().optional() }).optional(),
  parse_test_public_id: z.string().nullish(),
  parse_test_options: loose({ type: z.string() }).nullish(),
  is_fido: z.boolean().nullish(),
  is_totp: z.boolean().nullish(),
});

const path = "/api/v1/synthetics/variables";

export const syntheticsVariableRoutes = (org: Organization): readonly Route[] => {
  const variables = org.room.shelf<string, SyntheticsVariable>();
  const one = looking(
    (asked) => variables.get(asked.params["variable_id"] ?? ""),
    () => "Global variable not found",
  );
  const keep = (variable: SyntheticsVariable): Answer => {
    const { name, parse_test_public_id: source } = variable.told;
    if ([...variables.values()].some((each) => each.told["name"] === name && each.id !== variable.id))
      return refused(409, `A global variable named ${textOf(name)} already exists`);
    if (typeof source === "string" && !org.tests.has(source)) return refused(404, "Synthetics test not found");
    variables.set(variable.id, variable);
    return ok(describe(variable));
  };

  return [
    get(path, () => ok({ variables: [...variables.values()].map(describe) })),
    post(path, (asked) => accept(asked, draft, (told) => keep({ id: org.ids.uuid(), told }))),
    get(
      `${path}/{variable_id}`,
      one((variable) => ok(describe(variable))),
    ),
    put(
      `${path}/{variable_id}`,
      one(({ id }, asked) => accept(asked, draft, (told) => keep({ id, told }))),
    ),
    del(
      `${path}/{variable_id}`,
      one(({ id }) => {
        variables.delete(id);
        return { status: 200, body: undefined };
      }),
    ),
  ];
};

/** The value of a secure one is never answered. */
const describe = ({ id, told }: SyntheticsVariable): JsonObject => {
  const { value, parse_test_public_id: source = null, parse_test_options = null, is_fido, is_totp } = told;
  const { value: secret, ...rest } = (value ?? {}) as JsonObject;
  return {
    id,
    name: told["name"],
    description: told["description"],
    type: "variable",
    tags: told["tags"],
    last_error: null,
    value: rest["secure"] === true ? rest : { secure: false, ...rest, value: secret },
    parse_test_public_id: source,
    parse_test_name: null,
    parse_test_options,
    parse_test_extracted_at: null,
    ...(source === null ? { is_fido: is_fido ?? null, is_totp: is_totp ?? null } : {}),
  };
};
