/** What Datadog makes of a Synthetics test that it is told: steps get ids, secrets and files are kept and not answered. */

import type { SyntheticsTest } from "./documents.ts";
import type { Ids } from "./ids.ts";
import { except, type Json, type JsonObject } from "./json.ts";

type Told = JsonObject & { readonly type: string; readonly config: JsonObject };

/** The parts of a test that are answered in another shape than they were told in. */
export const answered = (ids: Ids, told: Told, publicId: string): JsonObject => ({
  config: configOf(ids, told.config, publicId),
  ...(told.type === "api" ? {} : stepped(ids, told)),
});

const configOf = (ids: Ids, config: JsonObject, publicId: string): JsonObject => ({
  ...config,
  ...(isObject(config["request"]) ? { request: requestOf(ids, config["request"], publicId) } : {}),
  ...(Array.isArray(config["steps"])
    ? { steps: objectsOf(config["steps"]).map((step) => ({ ...step, id: step["id"] ?? ids.dashboard() })) }
    : {}),
});

/** The content of a certificate is never answered, that of a file is somewhere else. */
const requestOf = (ids: Ids, request: JsonObject, publicId: string): JsonObject => {
  const { certificate, files } = request;
  return {
    ...request,
    ...(isObject(certificate)
      ? { certificate: { ...certificate, ...without(certificate, "cert"), ...without(certificate, "key") } }
      : {}),
    ...(Array.isArray(files)
      ? {
          files: objectsOf(files).map((file) => ({
            ...except(file, ["content"]),
            bucketKey: file["bucketKey"] ?? `api-upload-file/${publicId}/${ids.uuid()}.json`,
          })),
        }
      : {}),
  };
};

const without = (certificate: JsonObject, name: "cert" | "key"): JsonObject => {
  const part = certificate[name];
  return isObject(part) ? { [name]: except(part, ["content"]) } : {};
};

const stepped = (ids: Ids, told: Told): JsonObject => {
  const steps = Array.isArray(told["steps"]) ? objectsOf(told["steps"]) : [];
  const kinds = steps.map(({ type }) => (typeof type === "string" ? type : ""));
  return {
    steps:
      steps.length === 0 && told.type === "mobile"
        ? undefined
        : steps.map((step) => ({ ...step, public_id: step["public_id"] ?? ids.dashboard() })),
    stepCount: {
      assertions: kinds.filter((kind) => kind.startsWith("assert")).length,
      subtests: kinds.filter((kind) => kind === "playSubTest").length,
      total: steps.length,
    },
  };
};

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectsOf = (values: readonly Json[]): readonly JsonObject[] => values.filter((each) => isObject(each));

type Step = { readonly op: string; readonly path: string; readonly value?: JsonObject[string] };

/** JSON Patch as far as agents use it: `add`, `replace`, `remove` and `test`; a string says why it cannot be done. */
export const patched = (test: SyntheticsTest, steps: readonly Step[]): SyntheticsTest | string => {
  let next: Json = test;
  for (const { op, path, value } of steps) {
    if (!["add", "replace", "remove"].includes(op)) return `The sandbox does not know the operation '${op}'`;
    const names = path
      .slice(1)
      .split("/")
      .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (names.includes("__proto__")) return `Invalid path: ${path}`;
    const changed = placed(next, names, op === "remove" ? undefined : (value ?? null));
    if (changed === undefined) return `Invalid path: ${path}`;
    next = changed;
  }
  return next as unknown as SyntheticsTest;
};

/** A copy with another value at one place; `undefined` takes it away, and is the answer where there is no such place. */
const placed = (
  at: Json | undefined,
  [name = "", ...rest]: readonly string[],
  value: Json | undefined,
): Json | undefined => {
  if (Array.isArray(at)) {
    const list = at as readonly Json[];
    const index = name === "-" ? list.length : /^\d{1,6}$/.test(name) ? Number(name) : Number.NaN;
    if (!(index <= list.length)) return undefined;
    const inner = rest.length === 0 ? value : placed(list[index], rest, value);
    if (inner === undefined && rest.length > 0) return undefined;
    return [...list.slice(0, index), ...(inner === undefined ? [] : [inner]), ...list.slice(index + 1)];
  }
  if (!isObject(at)) return undefined;
  const { [name]: before, ...others } = at;
  if (rest.length === 0) return value === undefined ? others : { ...at, [name]: value };
  const inner = placed(before, rest, value);
  return inner === undefined ? undefined : { ...at, [name]: inner };
};
