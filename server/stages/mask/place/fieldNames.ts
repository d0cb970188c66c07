/** What the name of a field says about it: that it decides where Datadog sends things, that it is only shown, or nothing. */

import { endingsOf, mayEnd } from "../detect/endings.ts";
import { mayHoldToken } from "../token/text.ts";
import { isAlphanumeric } from "../detect/validators.ts";

/**
 * `destination`: decides, whatever it says. `mentions`: a text in which `@name` sends it to somebody. `id`: says which thing is meant. `inert`:
 * decides nothing by itself. `byline`: who made it, which nobody can change. `other`: nobody knows, and so its text decides.
 */
export type Sort = "destination" | "mentions" | "id" | "inert" | "byline" | "other";

/** By name, compared without case and separators, and also at the end of a longer name: `url`, `webhook_url`, `callbackUrl`. */
const endings = [
  "address",
  "addresses",
  "bucket",
  "bucketname",
  "channel",
  "channelid",
  "channelname",
  "destination",
  "domain",
  "email",
  "emails",
  "endpoint",
  "handle",
  "handles",
  "host",
  "hostname",
  "hosts",
  "link",
  "queue",
  "recipient",
  "recipients",
  "region",
  "script",
  "server",
  "site",
  "subdomain",
  "topic",
  "uri",
  "url",
  "urls",
  "webhook",
];

/** Only as the whole name: at the end of others they mean something else. */
const whole = new Set(["to", "cc", "bcc", "ip", "port", "code", "javascript", "notifications", "notifylist"]);

/** https://docs.datadoghq.com/monitors/notify/#notifications */
const mentioning = new Set(["message", "escalationmessage", "text"]);

/** Texts for people, and what Datadog itself evaluates: a query, a formula, the name of a metric. */
const inert = new Set([
  "comment",
  "comments",
  "description",
  "facet",
  "facets",
  "formula",
  "groupby",
  "metric",
  "metricname",
  "name",
  "note",
  "notes",
  "query",
  "queries",
  "summary",
  "title",
]);

const byline =
  /^(?:creator|modifier|authors?|author(?:handle|name|info)|(?:last)?(?:created|modified|updated)by(?:handle|id|uuid|name|email)?)$/;

const sortedEndings = endingsOf(
  [
    ...endings,
    ...whole,
    ...mentioning,
    ...inert,
    "creator",
    "modifier",
    "author",
    "authors",
    "authorinfo",
    "edby",
  ].filter(({ length }) => length > 2),
);

/** A cheap look at a key's bytes: whether its name may be any of these. */
export const mayMatter = (
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): boolean =>
  end - start < 4 ||
  // A separator at its end hides how it ends.
  !isAlphanumeric(bytes[end - 1] ?? 0) ||
  // `…id`
  ((bytes[end - 1] ?? 0) | 0x20) === 0x64 ||
  mayEnd(sortedEndings, bytes, { start, end });

export const sortOf = (key: string): Sort => {
  // What a masked name says only its value knows.
  if (mayHoldToken(key)) return "other";
  const plain = key.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  if (byline.test(plain)) return "byline";
  if (whole.has(plain) || endings.some((ending) => plain.endsWith(ending))) return "destination";
  if (mentioning.has(plain)) return "mentions";
  if (inert.has(plain)) return "inert";
  return plain.endsWith("id") ? "id" : "other";
};
