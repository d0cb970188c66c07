/** The CEL that policies are written in: its variables with their types, and `.re()` in place of `.matches()`. */

import { Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { ConnectionView, OperationView, RequestView } from "./facts.ts";

const text = "string";

const operationFields = {
  id: text,
  name: text,
  api: text,
  version: text,
  access: text,
  method: text,
  path: text,
  known: "bool",
};

const connectionFields = { name: text, kind: text, site: text };

const requestFields = {
  method: text,
  path: text,
  params: "map<string, string>",
  query: "map<string, string>",
  headers: "map<string, string>",
  body: "dyn",
};

/** For rules: `caller`, `connection`, `operation`, `request`. */
export const callEnvironment = (): Environment =>
  callerEnvironment()
    .registerType("Operation", { ctor: OperationView, fields: operationFields })
    .registerType("Connection", { ctor: ConnectionView, fields: connectionFields })
    .registerType("Request", { ctor: RequestView, fields: requestFields })
    .registerVariable("operation", "Operation")
    .registerVariable("connection", "Connection")
    .registerVariable("request", "Request");

/** For `allow` of issuers and connections: `caller`. */
export const callerEnvironment = (): Environment => {
  const compiled = new Map<string, RE2JS>();
  return new Environment({ limits: { maxAstNodes: 5_000, maxDepth: 50 } })
    .registerVariable("caller", "map<string, dyn>")
    .registerFunction("string.re(string): bool", (value: string, pattern: string) => {
      // Patterns are literals of the policy (flaws.ts sees to it), so this cannot grow with what callers send.
      const expression = compiled.get(pattern) ?? RE2JS.compile(pattern);
      compiled.set(pattern, expression);
      return expression.test(value);
    });
};

/** The fields of every variable that has fixed ones. */
export const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  operation: Object.keys(operationFields),
  connection: Object.keys(connectionFields),
  request: Object.keys(requestFields),
};

/** Variables and functions a condition may use, for suggestions. */
export const namesIn = (environment: Environment, kind: "variables" | "functions"): readonly string[] => {
  switch (kind) {
    case "variables":
      return ["caller", ...Object.keys(fieldsOf)].filter((name) => environment.hasVariable(name));
    case "functions":
      return [...new Set(environment.getDefinitions().functions.map(({ name }) => name))].filter(
        (name) => name !== "matches",
      );
    default:
      return kind satisfies never;
  }
};
