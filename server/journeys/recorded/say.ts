/** What a client is told of a request that cannot be answered from the recording: short, on one line, and without anybody's secret. */

import type { FieldDifference } from "../../model/differences.ts";
import { nameOf } from "./call.ts";
import type { Closest } from "./closest.ts";
import { kindsFor, Unshown } from "./hidden.ts";
import type { Elsewhen } from "./order.ts";
import type { Indexed } from "./recording.ts";

const mostSaid = 8;
const longestValue = 80;
const longestPath = 160;

/** `asked`: method and path, as they may be shown. */
export const sayUnrecorded = (asked: string, closest: Closest | null): string => {
  if (closest === null) return `${asked} was not recorded: there is no call in this recording`;
  const { call, differences } = closest;
  const said = differences.slice(0, mostSaid).map(sayDifference);
  const more = differences.length > said.length ? [`${differences.length - said.length} more differences`] : [];
  const why = [...said, ...more].join("; ");
  return `${asked} was not recorded; the closest is ${nameOf(call.call)}: ${why || "it cannot be told what differs"}`;
};

export const sayElsewhen = (asked: string, { call, when, write }: Elsewhen): string => {
  const where = `${nameOf(write.call)} ${requestLine(write)}`;
  return when === "later"
    ? `${asked} was recorded as ${nameOf(call.call)} only after ${where}, which was not made`
    : `${asked} was recorded only before ${where}, last as ${nameOf(call.call)}: what it gave after that was not recorded`;
};

export const sayUnanswered = (asked: string, call: Indexed, why: string): string =>
  `${asked} is ${nameOf(call.call)}, and its answer cannot be given: ${why}`;

const requestLine = ({ call: { method, path } }: Indexed): string => `${method} ${shownPath(path)}`;

export const shownPath = (path: string): string => cut(kindsFor(path).replaceAll(/[^\x21-\x7e]/g, "?"), longestPath);

export const sayDifference = ({ path, recorded, sent }: FieldDifference): string =>
  `${path}: ${recorded === undefined ? "not recorded" : `recorded ${show(recorded)}`}, ${sent === undefined ? "not sent" : `sent ${show(sent)}`}`;

/** As JSON, with the kind in the place of what masks take out. */
export const show = (value: unknown): string => {
  if (value instanceof Unshown) return value.says;
  if (typeof value === "string") return cut(JSON.stringify(kindsFor(value)), longestValue);
  if (value instanceof Map) return value.size === 0 ? "{}" : `an object of ${value.size}`;
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `a list of ${value.length}`;
  return typeof value === "bigint" ? cut(String(value), longestValue) : JSON.stringify(value);
};

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
