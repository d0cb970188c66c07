/** The shape of a file of table tests, and the short forms in which requests and expectations may be written. */

import { z } from "zod";
import { effects } from "../../model/decision.ts";

const outcomes = [...effects, "observe", "refuse"] as const;

const shortRequest = /^([A-Z]+) +(?:https?:\/\/([^/ ]+))?(\/[^ ?]*)(?:\?(\S*))?$/;

/** `GET /api/v1/monitor?name=x`, or with `https://HOST` before the path. */
const spelledOut = (written: unknown): unknown => {
  if (typeof written !== "string") return written;
  const found = shortRequest.exec(written);
  if (found === null) return written;
  const [, method, host, path, query = ""] = found;
  return { method, path, query, ...(host !== undefined && { host }) };
};

const text = z.string({ error: "must be text: put it in quotes" });
/** What a header field or a parameter is in the end: text. */
const word = z
  .union([z.string(), z.number(), z.bigint(), z.boolean()], { error: "must be text, a number, true or false" })
  .transform(String);
const words = z.preprocess(
  (value): unknown => (Array.isArray(value) ? value : [value]),
  z.array(word, { error: "must be a value or a list of values" }),
);
const pairs = z.record(z.string(), words, { error: "must be a map of names and values" });

const requestMap = z.strictObject(
  {
    method: text.regex(/^[A-Z]+$/, { error: "must be a method in capitals, like GET" }).default("GET"),
    host: text.optional(),
    path: text.regex(/^\//, { error: "must begin with /" }),
    query: z.union([text, pairs], { error: "must be text, or a map of names and values" }).default(""),
    headers: pairs.default({}),
    body: z.unknown().optional(),
  },
  { error: "must be like GET /api/v1/monitor, or a map of method, path, query, headers and body" },
);
const request = z.preprocess(spelledOut, requestMap);

const expectationMap = z.strictObject(
  {
    effect: z.enum(outcomes),
    rules: z.array(text, { error: "must be a list of names of rules" }).optional(),
    reason: text.optional(),
    operation: text.optional(),
  },
  { error: `must be one of ${outcomes.join(", ")}, or a map of effect, rules, reason and operation` },
);
const expectation = z.preprocess(
  (written) => (typeof written === "string" ? { effect: written } : written),
  expectationMap,
);

const caller = z.looseObject(
  {
    issuer: text.optional(),
    issuer_name: text.optional(),
    subject: text.optional(),
    groups: z.array(text, { error: "must be a list of names" }).optional(),
  },
  { error: "must be a map of claims" },
);
export type WrittenCaller = z.output<typeof caller>;

const test = z.strictObject(
  {
    name: text.min(1, { error: "is empty" }),
    caller: z.union([z.string(), caller], { error: "must be a name of callers, or a map of claims" }).optional(),
    connection: text.optional(),
    request,
    /** What `now` is; left out: now. */
    at: z.iso.datetime({ offset: true, error: "must be a time like 2026-12-24T18:00:00Z" }).optional(),
    /** Rules whose limit is used up. */
    spent: z.array(text, { error: "must be a list of names of rules" }).optional(),
    expect: expectation,
  },
  { error: "must be a map of name, caller, connection, request and expect" },
);
export type WrittenTest = z.output<typeof test>;

export const tableShape = z.strictObject(
  {
    policy: text.optional(),
    callers: z.record(z.string(), caller, { error: "must be a map of names and claims" }).default({}),
    /** For tests that name none. */
    caller: text.optional(),
    connection: text.optional(),
    tests: z.array(test, { error: "must be a list of tests" }).min(1, { error: "must have at least one test" }),
  },
  { error: "must be a map of policy, callers and tests" },
);
export type WrittenTable = z.output<typeof tableShape>;

/** Every key with a meaning of its own, for suggestions. */
export const tableKeys = [tableShape, test, requestMap, expectationMap].flatMap(({ shape }) => Object.keys(shape));
