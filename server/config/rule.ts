/** How a rule is written in dogwatch.yaml: its condition, and the shorthands for what people write every day. */

import { z } from "zod";
import { permissions } from "../model/approval.ts";
import { callerKeys, limitPeriods, operationKeys, type RuleSource, type Weekday, weekdays } from "../model/config.ts";
import { effects } from "../model/decision.ts";
import { accessClasses } from "../model/operation.ts";
import { nearest } from "../model/nearest.ts";
import { duration, name } from "./values.ts";

export const condition = z
  .string()
  .min(1, { error: "is empty" })
  .max(10_000, { error: "is longer than 10000 characters" });

const words = z.array(z.string().min(1, { error: "is empty" }));

const approvers = z.strictObject({
  permission: z.enum(permissions).optional().describe("At least this permission on the repository; default: write"),
  roles: words.optional().describe("Roles of the repository, custom ones too, any of them"),
  teams: words.optional().describe("Teams of the repository's owner by slug, any of them"),
  groups: words.optional(),
  count: z.int().min(1, { error: "must be at least 1" }).max(20, { error: "must be at most 20" }).optional(),
  self: z
    .boolean()
    .optional()
    .describe("Whether the run's own people may answer: its actor, the author, the last pusher"),
});

const longestGrant = 24 * 60 * 60_000;
const grantError = "must be true, false or a list like [session, 30m]";

/** `true`: for the session, or for as long as somebody writes. */
const grants = z
  .union([z.boolean(), z.array(z.string()).min(1)], { error: grantError })
  .transform((written, context) => {
    if (typeof written === "boolean") return { session: written, longest: written ? longestGrant : null };
    const lasting = written.filter((word) => word !== "session").map((word) => duration(1_000).safeParse(word));
    if (lasting.some(({ success }) => !success)) context.addIssue({ code: "custom", message: grantError });
    const longest = lasting.flatMap(({ data }) => (data === undefined ? [] : [data]));
    return { session: written.includes("session"), longest: longest.length === 0 ? null : Math.max(...longest) };
  });

const mostPatterns = 500;

const pattern = z
  .string({ error: "must be text: put it in quotes" })
  .min(1, { error: "is empty" })
  .max(300, { error: "is longer than 300 characters" });

/** One, or a list of them; editors are told of both (`editorShape`). */
const some = <T extends z.ZodType>(item: T, error: string) =>
  z
    .preprocess(
      listed,
      z.array(item, { error }).min(1, { error: "is an empty list" }).max(mostPatterns, { error: tooMany }),
    )
    .meta({ shorter: "one" });

const listed = (value: unknown): unknown => (value === undefined || Array.isArray(value) ? value : [value]);

const tooMany = `has more than ${mostPatterns} entries; a pattern with * says it shorter`;

const patterns = some(pattern, "must be text or a list of texts").optional();

const atLeastOneKey = (keys: readonly string[]) => ({
  error: `must have at least one of ${keys.join(", ")}`,
  // A mistyped key has been complained about already.
  when: ({ issues }: { readonly issues: readonly unknown[] }) => issues.length === 0,
});

const hasKey = (value: object): boolean => Object.values(value).some((member) => member !== undefined);

const callers = some(
  z
    .strictObject(
      Object.fromEntries(callerKeys.map((key) => [key, patterns])) as Record<CallerKeyed, typeof patterns>,
      {
        error: "must be a map of keys, like { repository: acme/* }",
      },
    )
    .refine(hasKey, atLeastOneKey(callerKeys)),
  "must be a map of keys, like { repository: acme/* }",
);
type CallerKeyed = (typeof callerKeys)[number];

/** `read` is a class, `MonitorsApi` an API, `v1.MonitorsApi.*` an id, everything else a name. */
const operationWord = (written: unknown): unknown => {
  if (typeof written !== "string") return written;
  if (accessClasses.some((access) => access === written)) return { access: [written] };
  if (written.includes(".")) return { id: [written] };
  return written.endsWith("Api") ? { api: [written] } : { name: [written] };
};

const operation = z
  .preprocess(
    operationWord,
    z
      .strictObject(
        {
          access: some(z.enum(accessClasses), "must be a class or a list of classes").optional(),
          api: patterns,
          name: patterns,
          id: patterns,
        },
        { error: "must be a name, an access class, an API, or a map of access, api, name and id" },
      )
      .refine(hasKey, atLeastOneKey(operationKeys)),
  )
  .meta({ shorter: "word" });

const operations = some(operation, "must be a list of names, access classes and APIs");

/** `mon-fri`, `sat, sun`, or a list of days. */
const days = z
  .preprocess(
    (value) => (typeof value === "string" ? value.split(",").map((part) => part.trim()) : value),
    z
      .array(
        z.string().transform((text, context): readonly Weekday[] => {
          const [first = "", last = first, ...more] = text.toLowerCase().split("-");
          const from = weekdays.indexOf(first as Weekday);
          const to = weekdays.indexOf(last as Weekday);
          if (from === -1 || to === -1 || more.length > 0) {
            const wrong = from === -1 ? first : last;
            const meant = nearest(wrong.slice(0, 3), weekdays);
            context.addIssue({
              code: "custom",
              message: `must be days of ${weekdays.join(", ")}, like mon-fri${meant === undefined ? "" : `; did you mean ${meant}?`}`,
            });
            return [];
          }
          // fri-mon goes over the weekend.
          const length = ((to - from + 7) % 7) + 1;
          return Array.from({ length }, (_, i) => weekdays[(from + i) % 7] ?? "mon");
        }),
      )
      .min(1, { error: "is an empty list" }),
  )
  .meta({ shorter: "word" });

const hoursPattern = /^([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;
const hoursError = "must be two times of day, like 09:00-17:00";

const hours = z
  .string({ error: hoursError })
  .regex(hoursPattern, { error: hoursError })
  .transform((text) => {
    const [from = "", until = ""] = text.split("-").map((part) => part.trim());
    return { from, until };
  })
  .refine(({ from, until }) => from !== until, { error: "begins when it ends; leave it out for the whole day" });

const dateError = "must be a day like 2026-12-20, or a day and time like 2026-12-20T18:00";
const date = z
  .string({ error: dateError })
  .regex(/^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d)?$/, { error: dateError })
  .refine(isDay, { error: "is no day of the calendar" });

function isDay(text: string): boolean {
  const day = text.slice(0, 10);
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === day;
}

const zone = z.string({ error: "must be a time zone like Europe/Berlin" }).transform((text, context) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone === "" ? "UTC" : text;
  } catch {
    const meant = nearest(text, Intl.supportedValuesOf("timeZone"));
    context.addIssue({
      code: "custom",
      message: `is no time zone${meant === undefined ? ", like UTC or Europe/Berlin" : `; did you mean ${meant}?`}`,
    });
    return text;
  }
});

const windows = some(
  z
    .strictObject({
      days: days.optional(),
      hours: hours.optional(),
      from: date.optional(),
      until: date.optional(),
      zone: zone.default("UTC"),
    })
    .refine(({ zone: _zone, ...parts }) => hasKey(parts), atLeastOneKey(["days", "hours", "from", "until"]))
    .refine(({ from, until }) => from === undefined || until === undefined || from <= until || until.startsWith(from), {
      error: "ends before it begins",
    })
    .transform(({ days, ...window }) => ({
      ...window,
      ...(days !== undefined && { days: [...new Set(days.flat())] }),
    })),
  "must be a map of days, hours, from, until and zone",
);

const limitPattern = /^(\d{1,9})\s*(?:\/|per )\s*(\w+)$/;
const limitError = `must be a number of calls and a time, like 20/hour; the times are ${limitPeriods.join(", ")}`;
const mostUses = 10_000;

const limit = z.string({ error: limitError }).transform((text, context) => {
  const [, count, unit = ""] = limitPattern.exec(text) ?? [];
  const per = limitPeriods.find((period) => period === unit || `${period}s` === unit);
  const complain = (message: string) => {
    context.addIssue({ code: "custom", message });
    return { count: 1, per: "session" as const };
  };
  if (count === undefined) return complain(limitError);
  if (per === undefined) {
    const meant = nearest(unit, limitPeriods);
    return complain(
      `"${unit}" is not one of ${limitPeriods.join(", ")}${meant === undefined ? "" : `; did you mean ${Number(count)}/${meant}?`}`,
    );
  }
  if (Number(count) < 1) return complain("must let at least one call pass; a rule that lets none pass is no rule");
  if (Number(count) > mostUses) return complain(`must be at most ${mostUses} calls`);
  return { count: Number(count), per };
});

export const rule = z.strictObject({
  name: name.describe("Name of the rule in decisions and messages"),
  effect: z.enum(effects).describe("The strongest effect of all matching rules wins: deny, approve, allow"),
  callers: callers
    .optional()
    .describe("Whom the rule is about: issuer, subject, repository, owner, ref, environment, groups…, with * and **"),
  operations: operations
    .optional()
    .describe("What the rule is about: names and ids with *, access classes, APIs; any of them"),
  when: condition.default("true").describe("CEL over caller, connection, operation, request, now; left out: always"),
  during: windows
    .optional()
    .describe("Only inside these times: { days: mon-fri, hours: 09:00-17:00, zone: Europe/Berlin }"),
  outside: windows.optional().describe("Only outside these times"),
  limit: limit.optional().describe("Of an allow rule: so many calls of one session, 20/hour or 100/session"),
  phase: z
    .enum(["request", "response"])
    .default("request")
    .describe("response: whether the answer may be released; such rules deny, and can read response"),
  observe: z.boolean().default(false).describe("Only record what this deny or approve rule would do"),
  approvers: approvers.optional().describe("Who may answer"),
  groups: words.optional().describe("Who may answer for callers that are not GitHub's"),
  via: z
    .array(z.enum(["comment", "check", "page"]))
    .min(1)
    .optional()
    .describe("Which ways of answering count"),
  grants: grants.optional().describe("What an answer may permit beyond one call: [session, 30m]; default: nothing"),
  expires: duration(1_000).optional().describe("How long a question stays open"),
});

export type RuleInFile = z.output<typeof rule>;

/** A rule of the file as the engine takes it: what was left out is absent, what was found is in one form. */
export const ruleSource = (written: RuleInFile): RuleSource => {
  const { operations, callers, ...rest } = written;
  const kept = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...(kept as unknown as Omit<RuleSource, "callers" | "operations">),
    ...(callers !== undefined && { callers: callers.map(withoutGaps) }),
    ...(operations !== undefined && { operations: operations.map(withoutGaps) }),
  };
};

const withoutGaps = <T extends object>(map: T): { readonly [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]: Exclude<T[K], undefined>;
  };
