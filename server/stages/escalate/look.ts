/** Which GET shows what a call is about to change, and what of its answer counts as the state. */

import { createHash } from "node:crypto";
import { type Catalogue, lookUp } from "../../datadog/catalogue.ts";
import type { Operation } from "../../model/operation.ts";
import { canonicalText, jsonText, parsed } from "./json.ts";
import { withoutVolatile } from "./volatile.ts";

/** `path` raw, as it is sent. */
export type Look = { readonly method: "GET"; readonly path: string; readonly operation: Operation };

/** What is about to be sent: `prefix` of the Datadog host, `path` raw and without query. */
export type Target = { readonly prefix: string; readonly path: string; readonly operation: Operation };

/**
 * The GET of the very path, or, for an action on a thing (`…/monitor/4212/mute`), the GET of the thing. A list of many things is
 * nobody's current state.
 */
export function lookOf(catalogue: Catalogue, { prefix, path, operation }: Target): Look | { readonly why: string } {
  if (!operation.known) return { why: "Dogwatch does not know this operation" };
  if (operation.access === "submit") return { why: "it submits data, and nothing is there before" };
  const get = (raw: string): Look | null => {
    const found = lookUp(catalogue, prefix, { method: "GET", path: raw });
    return found.known && found.access === "read" ? { method: "GET", path: raw, operation: found } : null;
  };
  const own = get(path);
  const ownsPath = own?.operation.path === operation.path;
  if (operation.method === "POST" && ownsPath) return { why: "it creates something new" };
  if (ownsPath && isCollection(catalogue, operation.path))
    return { why: "it changes several things at once, and Datadog shows only all there are" };
  if (ownsPath && own !== null) return own;
  const parent = path.replace(/\/$/, "").replace(/\/[^/]*$/, "");
  const thing = operation.path.endsWith("}") ? null : get(parent);
  if (thing?.operation.path.endsWith("}") === true && operation.path.startsWith(`${thing.operation.path}/`))
    return thing;
  return {
    why:
      operation.method === "POST"
        ? "it creates something new, or starts something"
        : "Datadog has no operation that shows it",
  };
}

/** Its members have paths of their own. */
const isCollection = ({ entries }: Catalogue, template: string): boolean =>
  entries.some(({ path }) => path.startsWith(`${template}/{`) && path.indexOf("/", template.length + 1) === -1);

/**
 * The answer to a look without what changes by itself; `operation` is the id of the GET. The order of an object's members is no
 * part of the state. What is not JSON is compared byte for byte.
 */
export function stateOf(operation: string, bytes: Buffer): { readonly text: string; readonly digest: string } {
  const text = bytes.toString("utf8");
  const json = Buffer.from(text).equals(bytes) ? parsed(text) : null;
  if (json === null) return { text, digest: sha256(bytes) };
  const state = withoutVolatile(operation, json.value);
  return { text: jsonText(state), digest: sha256(canonicalText(state)) };
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
