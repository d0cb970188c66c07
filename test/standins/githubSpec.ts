/** GitHub's own description of its API, read from the folder beside this checkout when it is there: says what is wrong with an exchange. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";

/** One request and its answer, as plain data. */
export type GitHubExchange = {
  readonly method: string;
  /** Percent-encoded, from the API's root: `/repos/acme/checkout/pulls/7`, without a query, and without `/api/v3` of a server of one's own. */
  readonly path: string;
  /** Decoded values by name. */
  readonly query: Readonly<Record<string, unknown>>;
  /** Parsed JSON; undefined when there was none. */
  readonly requestBody: unknown;
  readonly status: number;
  /** Parsed JSON; undefined, null or "" when there was none. */
  readonly responseBody: unknown;
};

export type GitHubSpec = {
  /** What does not fit the description, one sentence each; empty when all is well. */
  check(exchange: GitHubExchange): string[];
  /** `given` with made-up values for what GitHub always says besides; as it is where nothing is described. */
  complete(asked: Pick<GitHubExchange, "method" | "path" | "status">, given: unknown): unknown;
};

type Schema = { readonly [keyword: string]: unknown };
type Content = { readonly content?: { readonly "application/json"?: { readonly schema: Schema } } };
type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
};
type Reference = { readonly $ref: string };
type Operation = {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content | Reference>>;
};
type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** Where the description lies: `../shared/github` beside the checkout. */
const descriptionFile = join(import.meta.dirname, "../../../shared/github/openapi-subset.json");

/** Why a test that needs the description is skipped. */
export const githubSpecMissing = "skipped: ../shared/github/openapi-subset.json is not beside this checkout";

/**
 * GitHub answers these anywhere, described for the operation or not: what went wrong with authentication, limits or GitHub itself, and
 * that nothing is new. A private thing that may not be seen is a 404.
 *
 * @see https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
 * @see https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api (redirects, conditional requests)
 */
const anywhere: readonly number[] = [301, 302, 304, 307, 308, 401, 403, 404, 429, 500, 502, 503, 504];

/** Null where the description is not beside this checkout. */
export const openGitHubSpec = (): GitHubSpec | null => {
  const description = readDescription();
  return description === null ? null : createSpec(description);
};

const readDescription = (): Description | null => {
  try {
    return JSON.parse(readFileSync(descriptionFile, "utf8")) as Description;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};

type Route = {
  readonly template: string;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly operation: Operation;
};

const createSpec = (description: Description): GitHubSpec => {
  const validators = createValidators(description);
  const routes = routesOf(description);
  const routeOf = ({ method, path }: Pick<GitHubExchange, "method" | "path">): Route | undefined =>
    routes.find((each) => each.method === method.toLowerCase() && each.pattern.test(withNames(path)));
  return {
    check: (exchange) => {
      const path = withNames(exchange.path);
      const route = routeOf(exchange);
      if (route === undefined) return [`${exchange.method} ${exchange.path} is not an operation of the description`];
      const parts: Parts = { exchange, path, route, validators, resolve: (item) => resolve(description, item) };
      return [...parameterFindings(parts), ...bodyFindings(parts), ...answerFindings(parts)].map(
        (finding) => `${route.operation.operationId}: ${finding}`,
      );
    },
    complete: (asked, given) => {
      const item = routeOf(asked)?.operation.responses[String(asked.status)];
      const schema = item === undefined ? undefined : resolve(description, item).content?.["application/json"]?.schema;
      // GitHub's answer itself is never null, whatever its schema says of other places.
      return schema === undefined
        ? given
        : completed(description, { schema, given: given ?? made(description, schema) });
    },
  };
};

/** GitHub's redirects lead from a name that was given up to `/repositories/{id}`, which is the same resource. */
const withNames = (path: string): string => path.replace(/^\/repositories\/\d+(?=\/|$)/, "/repos/owner/repo");

/** Those with fewer placeholders first: `/issues/comments` is not an issue's number. */
const routesOf = ({ paths }: Description): Route[] =>
  Object.entries(paths)
    .flatMap(([template, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        template,
        method,
        operation,
        names: [...template.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name),
        // A file's path and a branch's name have slashes of their own.
        pattern: new RegExp(
          `^${template.replaceAll(/\{(?:path|ref)\}/g, "(.+)").replaceAll(/\{[^}]+\}/g, "([^/]+)")}$`,
        ),
      })),
    )
    .toSorted((a, b) => a.names.length - b.names.length || b.template.length - a.template.length);

type Validators = { of(schema: Schema): ValidateFunction; coercing(schema: Schema): ValidateFunction };

const createValidators = ({ components }: Description): Validators => {
  const options = { strict: false, allErrors: true, logger: false } as const;
  const strict = new Ajv(options);
  const coercing = new Ajv({ ...options, coerceTypes: true });
  for (const ajv of [strict, coercing]) {
    formats.default(ajv);
    ajv.addSchema({ $id: "github", components: toJsonSchema(components) as Schema });
  }
  const remember = (ajv: Ajv): ((schema: Schema) => ValidateFunction) => {
    const known = new Map<Schema, ValidateFunction>();
    return (schema) => {
      const validate = known.get(schema) ?? ajv.compile(toJsonSchema(schema) as Schema);
      known.set(schema, validate);
      return validate;
    };
  };
  return { of: remember(strict), coercing: remember(coercing) };
};

/**
 * OpenAPI 3.0's dialect in JSON Schema's words: `nullable` beside anything, references into the one document. `oneOf` becomes `anyOf`,
 * since GitHub's alternatives overlap.
 */
const toJsonSchema = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(toJsonSchema);
  if (typeof schema !== "object" || schema === null) return schema;
  const { nullable, oneOf, example: _example, $ref, ...rest } = schema as Schema;
  const converted: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([keyword, value]) => [keyword, keyword === "enum" ? value : toJsonSchema(value)]),
  );
  if (typeof $ref === "string") converted["$ref"] = $ref.replace(/^#/, "github#");
  else if ($ref !== undefined) converted["$ref"] = toJsonSchema($ref);
  if (oneOf !== undefined) converted["anyOf"] = toJsonSchema(oneOf);
  return nullable === true ? { anyOf: [{ type: "null" }, converted] } : converted;
};

const resolve = <T extends object>(description: Description, item: T | Reference): T => {
  if (!("$ref" in item)) return item;
  const found = item.$ref
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>((within, key) => (within as Record<string, unknown>)[key], description);
  return found as T;
};

type Parts = {
  readonly exchange: GitHubExchange;
  readonly path: string;
  readonly route: Route;
  readonly validators: Validators;
  readonly resolve: <T extends object>(item: T | Reference) => T;
};

const parameterFindings = ({ exchange, path, route, validators, resolve }: Parts): string[] => {
  const parameters = (route.operation.parameters ?? []).map((item) => resolve(item));
  const values = route.pattern.exec(path)?.slice(1) ?? [];
  const inPath = new Map(route.names.map((name, index) => [name, decodeURIComponent(values[index] ?? "")]));
  const asked = parameters.flatMap((parameter) => {
    const value = parameter.in === "path" ? inPath.get(parameter.name) : exchange.query[parameter.name];
    if (parameter.in === "header") return [];
    if (value === undefined) return parameter.required === true ? [`parameter ${parameter.name} is missing`] : [];
    const schema: Schema = { type: "object", properties: { value: parameter.schema } };
    return findings(validators.coercing(schema), { value }, `parameter ${parameter.name}`);
  });
  const known = new Set(parameters.filter(({ in: place }) => place === "query").map(({ name }) => name));
  const strays = Object.keys(exchange.query).filter((name) => !known.has(name));
  return [...asked, ...strays.map((name) => `parameter ${name} is not described`)];
};

const isEmpty = (body: unknown): boolean => body === undefined || body === null || body === "";

const bodyFindings = ({ exchange, route, validators }: Parts): string[] => {
  const { requestBody } = route.operation;
  const schema = requestBody?.content?.["application/json"]?.schema;
  if (isEmpty(exchange.requestBody)) return requestBody?.required === true ? ["the request has no body"] : [];
  if (schema === undefined) return ["the request has a body, and none is described"];
  const { properties } = schema as { properties?: object };
  const strays =
    properties === undefined ? [] : Object.keys(exchange.requestBody as object).filter((name) => !(name in properties));
  return [
    ...findings(validators.of(schema), exchange.requestBody, "the request's body"),
    ...strays.map((name) => `the request's body has ${name}, which is not described`),
  ];
};

const basicError: Schema = { $ref: "#/components/schemas/basic-error" };

const answerFindings = ({ exchange, route, validators, resolve }: Parts): string[] => {
  const { status, responseBody } = exchange;
  const item = route.operation.responses[String(status)];
  if (item === undefined && !anywhere.includes(status)) return [`status ${status} is not described`];
  const described = item === undefined ? undefined : resolve(item).content?.["application/json"]?.schema;
  if (isEmpty(responseBody)) return described === undefined ? [] : [`status ${status} has no body`];
  // What goes wrong is told alike everywhere.
  const schema = described ?? (status >= 300 ? basicError : undefined);
  if (schema === undefined) return [`status ${status} has a body, and none is described`];
  return findings(validators.of(schema), responseBody, `the body of status ${status}`);
};

const findings = (validate: ValidateFunction, value: unknown, what: string): string[] => {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${what}${instancePath === "" ? "" : ` at ${instancePath}`} ${message ?? "does not fit"} ${JSON.stringify(params)}`.trim(),
  );
};

type Shape = {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
};

const shapeOf = (description: Description, schema: Schema): Shape => {
  const shape = resolve<Schema>(description, schema) as Shape;
  const [alternative] = (shape["allOf"] ?? shape["anyOf"] ?? shape["oneOf"] ?? []) as Schema[];
  return alternative === undefined ? shape : { ...shapeOf(description, alternative), ...shape };
};

type Completing = { readonly schema: Schema; readonly given: unknown };

const completed = (description: Description, { schema, given }: Completing): unknown => {
  const { properties = {}, required = [], items } = shapeOf(description, schema);
  if (Array.isArray(given))
    return items === undefined
      ? given
      : given.map((item: unknown) => completed(description, { schema: items, given: item }));
  if (typeof given !== "object" || given === null) return given;
  const told = Object.entries(given).map(([name, value]) => {
    const of = properties[name];
    return [name, of === undefined ? value : completed(description, { schema: of, given: value })];
  });
  const missing = required
    .filter((name) => !(name in given))
    .map((name) => [name, valueOf(description, properties[name])]);
  return Object.fromEntries([...missing, ...told]) as object;
};

const valueOf = (description: Description, schema: Schema | undefined): unknown => {
  if (schema === undefined) return "made up";
  return shapeOf(description, schema)["nullable"] === true ? null : made(description, schema);
};

const made = (description: Description, schema: Schema): unknown => {
  const shape = shapeOf(description, schema);
  if (shape.enum !== undefined) return shape.enum[0];
  switch (shape["type"]) {
    case "array":
      return [];
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return false;
    case "string":
      return textOf(shape["format"]);
    default:
      return completed(description, { schema, given: {} });
  }
};

const textOf = (format: unknown): string => {
  if (format === "date-time") return "2026-01-02T03:04:05Z";
  if (format === "uri") return "https://api.github.com/made-up";
  return format === "email" ? "made-up@example.com" : "made up";
};
