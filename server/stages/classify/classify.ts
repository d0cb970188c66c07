/** Says which Datadog operation a request is, or refuses a request that could be taken for more than one. */

import { lookUp, type Catalogue, type Target } from "../../datadog/catalogue.ts";
import { hostsOf, prefixOfHost } from "../../datadog/hosts.ts";
import { refuse, type Refusal } from "../../errors.ts";
import type { Operation } from "../../model/operation.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { readPath } from "./path.ts";

/** What classification looks at. `path` is raw, without query, its token slot taken out; `site` is the connection's. */
export type ClassifiedRequest = Target & { readonly site: string; readonly host: string; readonly headers: HeaderList };

/**
 * `host_not_allowed` unless the host is, as a whole name, one of the site's; `request_malformed` for a path that two readers
 * could take for two operations, or for two objects of one, and for a header that asks Datadog to read another method. An
 * operation that the catalogue does not know is no refusal here: the policy decides about it.
 */
export function classify(catalogue: Catalogue, request: ClassifiedRequest): Operation | Refusal {
  const prefix = prefixOfHost(request.site, request.host);
  if (prefix === undefined) return refuseHost(request);
  const override = request.headers.find(([name]) => methodOverrides.has(name.toLowerCase()));
  if (override !== undefined) {
    return refuse("request_malformed", `the header ${override[0]} is refused: send the method that is meant`);
  }
  const readings = readPath(request.path);
  if ("code" in readings) return readings;
  const operation = lookUp(catalogue, prefix, request);
  for (const path of readings.others) {
    const other = lookUpReading(catalogue, prefix, { method: request.method, path });
    if (other.known && !sameMeaning(operation, other)) return refuseReading(operation, other);
  }
  return operation;
}

/** The parameters count as well: a rule about monitor `4212` must not be passed by `4212;` or `%2534212`. */
const sameMeaning = (one: Operation, other: Operation): boolean =>
  one.id === other.id && Object.entries(one.params).every(([name, value]) => other.params[name] === value);

/** Frameworks that honour these turn a POST which was allowed into a DELETE which nobody decided about. */
const methodOverrides: ReadonlySet<string> = new Set(["x-http-method-override", "x-http-method", "x-method-override"]);

/** A reading is decoded already: its `%` are plain characters, and must not be decoded once more. */
const lookUpReading = (catalogue: Catalogue, prefix: string, { method, path }: Target): Operation =>
  lookUp(catalogue, prefix, { method, path: path.replaceAll("%", "%25") });

function refuseHost({ site, host }: ClassifiedRequest): Refusal {
  const shown = JSON.stringify(host.slice(0, 100));
  if (hostsOf(site).includes(host.toLowerCase())) {
    return refuse("host_not_allowed", `${shown} must be written in lower case`);
  }
  return refuse("host_not_allowed", `${shown} is no host of ${site}`);
}

function refuseReading(meant: Operation, other: Operation): Refusal {
  const first = meant.known ? meant.name : "an unknown operation";
  const second = meant.id === other.id ? "another object" : other.name;
  return refuse(
    "request_malformed",
    `the path means ${first} as it stands and ${second} decoded further: write it so that it means one thing`,
  );
}
