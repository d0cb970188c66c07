/**
 * How far a sandbox agrees with a recorded scenario: the same requests in the same order, statuses and shapes compared, and the
 * values that are echoes of what was asked.
 */

import { createSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { Exchange, Recording } from "../../standins/recordings.ts";
import { bothKeys, type Loose } from "./open.ts";

/** Where a sandbox's answer is another one than the recorded: one line a place. Empty when the scenario agrees. */
export type Differences = readonly string[];

/** Plays a scenario against a fresh sandbox, until the end or the first answer with another status. */
export const differencesOf = async (recording: Recording): Promise<Differences> => {
  const { url, close } = await createSandbox({ clock: () => recording.at }).listen();
  try {
    return await play(recording, url);
  } finally {
    await close();
  }
};

const play = async ({ exchanges, at }: Recording, url: string): Promise<Differences> => {
  const ids = new Map<string, string>();
  const said = new Set<string>();
  const differences: string[] = [];
  for (const { request, response } of exchanges) {
    const asked = `${request.method} ${request.path}`;
    const theirs = read(response.body.toString("utf8"));
    hear(read(request.body.toString("utf8")), said);
    const answer = await send(request, { url, ids });
    if (answer.status !== response.status) {
      const whole = `${answer.status}, recorded ${response.status}`;
      return [...differences, `${asked}: ${whole}: ${JSON.stringify(answer.json)?.slice(0, 300)}`];
    }
    learn({ theirs, ours: answer.json }, ids);
    const found: string[] = [];
    const isEcho = (name: string, value: Loose): boolean => said.has(`${name}=${value}`);
    compare({ theirs, ours: answer.json }, { at: "", found, isEcho, ids, date: at.toISOString() });
    differences.push(...found.map((each) => `${asked} → ${response.status} ${each}`));
  }
  return differences;
};

const send = async (
  { method, path, query, contentType, body }: Exchange["request"],
  { url, ids }: { url: string; ids: ReadonlyMap<string, string> },
): Promise<{ status: number; json: Loose }> => {
  const answer = await fetch(`${url}${translate(query === "" ? path : `${path}?${query}`, ids)}`, {
    method,
    headers: { ...bothKeys, ...(contentType && { "content-type": contentType }) },
    ...(body.length > 0 && { body: translate(body.toString("utf8"), ids) }),
  });
  return { status: answer.status, json: read(await answer.text()) };
};

/** The longest first, so that an id within another id does not spoil it. */
export const translate = (text: string, ids: ReadonlyMap<string, string>): string =>
  [...ids]
    .toSorted(([a], [b]) => b.length - a.length)
    .reduce((so, [theirs, ours]) => so.replaceAll(theirs, ours), text);

export const read = (text: string): Loose => {
  try {
    // A number that JavaScript cannot hold is compared by its digits.
    return JSON.parse(
      text.replace(/([:[,]\s*)(-?\d{16,})(?=\s*[,}\]])/g, (whole, before: string, digits: string) =>
        Number.isSafeInteger(Number(digits)) ? whole : `${before}"${digits}"`,
      ),
    );
  } catch {
    return text === "" ? undefined : text;
  }
};

/** Remembers what a request says, by the name that it says it under. */
const hear = (value: Loose, said: Set<string>): void => {
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries<Loose>(value)) {
    if (inner !== null && typeof inner === "object") hear(inner, said);
    else said.add(`${name}=${inner}`);
  }
};

const identifies = /(?:^|_)(?:id|uuid|token|key|hash|handle)$/;

/** What one organization calls a thing, and what the other does: their names stand at the same places of both answers. */
export const learn = ({ theirs, ours }: { theirs: Loose; ours: Loose }, ids: Map<string, string>): void => {
  if (kindOf(theirs) !== kindOf(ours) || theirs === null || typeof theirs !== "object") return;
  if (Array.isArray(theirs) && theirs.length !== ours.length) return;
  for (const [name, value] of Object.entries<Loose>(theirs)) {
    const scalar = typeof value === "string" || typeof value === "number";
    if (scalar && identifies.test(name) && String(value).length > 4 && ours[name] != null) {
      if (!ids.has(String(value))) ids.set(String(value), String(ours[name]));
    } else learn({ theirs: value, ours: ours[name] }, ids);
  }
};

/** Where Datadog answers otherwise than it did when some scenarios were recorded: what is older than `until` need not agree there. */
const changed: readonly { readonly at: RegExp; readonly until: string }[] = [
  // Dashboards no longer say whether they are read only.
  { at: /^\.is_read_only$/, until: "2025-06" },
  // Monitors say what is a draft, which assets they have and who may change them.
  { at: /^\.(?:draft_status|assets|restriction_policy|priority)$/, until: "2025-11" },
  { at: /^\.data\.attributes\.last_login_time$/, until: "2025-11" },
  { at: /\.user_count$/, until: "2024-10" },
  { at: /\.attributes\.last_used_at$/, until: "2025-01" },
  // Whoever shares a dashboard is on the list of those who may see it.
  { at: /^\.(?:embeddable_domains|share_list\.0)$/, until: "2025-01" },
  // Users carry their id a second time.
  { at: /^\.data\.attributes\.uuid$/, until: "2026-04" },
  { at: /^\.(?:created_by|modified_by)$/, until: "2024-01" },
  { at: /\.data\.attributes\.(?:internal|statuses_config)$/, until: "2025-10" },
  // Cases have groups of statuses, incidents a type, and who declared them.
  { at: /\.(?:status_group|status_name|modified_by)$/, until: "2025-12" },
  {
    at: /\.(?:archived|declared|declared_by|declared_by_uuid|declared_by_user|incident_type_uuid|is_test)$/,
    until: "2025-01",
  },
  { at: /\.fields\.slug$/, until: "2026-01" },
  // Teams have got an avatar, a banner and more; some of it came and went within the same weeks.
  { at: /\.(?:avatar|banner)$/, until: "2024-01" },
  { at: /\.relationships\.team_links\.data$/, until: "2024-01" },
  { at: /\.(?:hidden_modules|visible_modules|is_managed|user_team_permissions\.data)$/, until: "2025-12" },
];

/** Whether the person whose keys were used has a name, and who they are, is a matter of the organization. */
const personal =
  /(?:author|creator|updater|created_by|declared_by|modified_by|included\.\d+\.attributes)(?:\.data\.attributes)?\.(?:name|title)$|\.author_name$/;

type Comparing = {
  readonly at: string;
  readonly found: string[];
  readonly isEcho: (name: string, value: Loose) => boolean;
  readonly ids: ReadonlyMap<string, string>;
  /** When it was recorded, as ISO 8601 writes it. */
  readonly date: string;
};

const kindOf = (value: Loose): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : value === undefined ? "nothing" : typeof value;

const compare = ({ theirs, ours }: { theirs: Loose; ours: Loose }, comparing: Comparing): void => {
  const { at, found, isEcho, ids, date } = comparing;
  const [kind, our] = [kindOf(theirs), kindOf(ours)];
  if (personal.test(at) || changed.some((each) => each.at.test(at) && date < each.until)) return;
  if (kind !== our) {
    found.push(`${at} is ${our}, recorded ${kind}`);
  } else if (kind === "array") {
    compareLists({ theirs, ours }, comparing);
  } else if (kind === "object") {
    for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)]))
      compare({ theirs: theirs[name], ours: ours[name] }, { ...comparing, at: `${at}.${name}` });
  } else if (isEcho(at.slice(at.lastIndexOf(".") + 1), theirs)) {
    const wanted = ids.get(String(theirs)) ?? String(theirs);
    if (String(ours) !== wanted) found.push(`${at} is ${String(ours)}, recorded ${wanted}`);
  }
};

/** A real organization has more of everything: what the sandbox lists must look like something that was listed there. */
const compareLists = ({ theirs, ours }: { theirs: Loose[]; ours: Loose[] }, comparing: Comparing): void => {
  const { at, found } = comparing;
  if (theirs.length > 0 !== ours.length > 0) {
    found.push(`${at} has ${ours.length} items, recorded ${theirs.length}`);
    return;
  }
  for (const [index, mine] of ours.entries()) {
    const candidates = theirs.length === ours.length ? [theirs[index]] : theirs;
    const results = candidates.map((each) => {
      const inner: string[] = [];
      compare({ theirs: each, ours: mine }, { ...comparing, at: `${at}.${index}`, found: inner });
      return inner;
    });
    const best = results.toSorted((a, b) => a.length - b.length)[0] ?? [];
    found.push(...best);
  }
};
