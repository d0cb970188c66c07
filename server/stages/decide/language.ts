/** The CEL that policies are written in: its variables with their types, `.re()` in place of `.matches()`, and clocks of time zones. */

import { Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { createClock } from "./clock.ts";
import { AnswerRequestView, ConnectionView, OperationView, RequestView, ResponseView } from "./facts.ts";
import type { Slots } from "./shortcut.ts";

/** What a condition is about: one call, the answer to one, or only who the caller is. */
export type Subject = "call" | "answer" | "caller";

export type Language = {
  readonly subject: Subject;
  readonly environment: Environment;
  /** The fields of every variable that has fixed ones. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** Variables and functions a condition may use, for suggestions. */
  readonly variables: readonly string[];
  readonly functions: readonly string[];
  readonly slots: Slots;
};

const text = "string";
const texts = "map<string, string>";

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

/** By the time of the answer the request's body is gone. */
const answeredFields = { method: text, path: text, params: texts, query: texts, headers: texts };

const requestFields = { ...answeredFields, body: "dyn" };

const responseFields = { status: "int", headers: texts, body: "dyn" };

const shared = { operation: Object.keys(operationFields), connection: Object.keys(connectionFields) };

/** One for all conditions of a policy: what it keeps (patterns, zones) is theirs. */
export const languageFor = (subject: Subject): Language => {
  switch (subject) {
    case "caller":
      return languageOf(subject, callerEnvironment(), {});
    case "call":
      return languageOf(
        subject,
        callEnvironment()
          .registerType("Request", { ctor: RequestView, fields: requestFields })
          .registerVariable("request", "Request"),
        { ...shared, request: Object.keys(requestFields) },
      );
    case "answer":
      return languageOf(
        subject,
        callEnvironment()
          .registerType("Request", { ctor: AnswerRequestView, fields: answeredFields })
          .registerType("Response", { ctor: ResponseView, fields: responseFields })
          .registerVariable("request", "Request")
          .registerVariable("response", "Response"),
        { ...shared, request: Object.keys(answeredFields), response: Object.keys(responseFields) },
      );
    default:
      return subject satisfies never;
  }
};

const callEnvironment = (): Environment => {
  const clock = createClock();
  const at = "google.protobuf.Timestamp";
  return callerEnvironment()
    .registerType("Operation", { ctor: OperationView, fields: operationFields })
    .registerType("Connection", { ctor: ConnectionView, fields: connectionFields })
    .registerVariable("operation", "Operation")
    .registerVariable("connection", "Connection")
    .registerVariable("now", at)
    .registerFunction(`${at}.weekday(string): string`, (now: Date, zone: string) => clock(now, zone).weekday)
    .registerFunction(`${at}.date(string): string`, (now: Date, zone: string) => clock(now, zone).date)
    .registerFunction(`${at}.time(string): string`, (now: Date, zone: string) => clock(now, zone).time)
    .registerFunction(`${at}.hour(string): int`, (now: Date, zone: string) => clock(now, zone).hour);
};

const callerEnvironment = (): Environment => {
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

const languageOf = (subject: Subject, environment: Environment, fields: Language["fields"]): Language => ({
  subject,
  environment,
  fields,
  variables: ["caller", ...Object.keys(fields), "now"].filter((name) => environment.hasVariable(name)),
  functions: [...new Set(environment.getDefinitions().functions.map(({ name }) => name))].filter(
    (name) => name !== "matches",
  ),
  slots: new Map(),
});
