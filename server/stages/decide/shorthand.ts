/** Turns `callers`, `operations`, `during` and `outside` of a rule into the CEL they stand for. */

import {
  type CallerKey,
  callerKeys,
  type OperationKey,
  operationKeys,
  type RuleSource,
  type TimeWindow,
  weekdays,
} from "../../model/config.ts";

/** One shorthand as CEL, and as its reader wrote it. */
export type Longhand = {
  readonly key: "callers" | "operations" | "during" | "outside";
  readonly cel: string;
  /** `operations: read, Delete*` */
  readonly shown: string;
};

/** The shorthands of a rule, each of which must hold. A single pattern of several keys gives one for each key. */
export const longhandsOf = (rule: RuleSource): Longhand[] => [
  ...patternsIn("callers", rule.callers, { keys: callerKeys, cel: callerCel }),
  ...patternsIn("operations", rule.operations, { keys: operationKeys, cel: operationCel }),
  ...(rule.during === undefined ? [] : [windowsOf("during", rule.during)]),
  ...(rule.outside === undefined ? [] : [windowsOf("outside", rule.outside)]),
];

/** Everything a rule asks for in one condition: what the shorthands stand for, and `when`. */
export const celOf = (rule: RuleSource): string => {
  const parts = [...longhandsOf(rule).map(({ cel }) => cel), ...(rule.when === "true" ? [] : [rule.when])];
  return parts.length === 0 ? "true" : parts.map((part) => `(${part})`).join(" && ");
};

type Patterns<K extends string> = Readonly<Partial<Record<K, readonly string[]>>>;
type Keyed<K extends string> = {
  readonly keys: readonly K[];
  readonly cel: (key: K, values: readonly string[]) => string;
};

const patternsIn = <K extends string>(
  key: "callers" | "operations",
  written: readonly Patterns<K>[] | undefined,
  { keys, cel }: Keyed<K>,
): Longhand[] => {
  if (written === undefined) return [];
  const patterns = merged(written, keys);
  const entries = (pattern: Patterns<K>) =>
    keys.flatMap((name) => (pattern[name] === undefined ? [] : [[name, pattern[name]] as const]));
  const [only, ...others] = patterns;
  if (only !== undefined && others.length === 0)
    return entries(only).map(([name, values]) => ({
      key,
      cel: cel(name, values),
      shown: short(`${key}: ${name} ${values.join(", ")}`),
    }));
  const alternatives = patterns.map((pattern) => both(entries(pattern).map(([name, values]) => cel(name, values))));
  const shown = patterns.map((pattern) =>
    entries(pattern)
      .map(([name, values]) => `${name} ${values.join(", ")}`)
      .join(" and "),
  );
  return [{ key, cel: either(alternatives), shown: short(`${key}: ${shown.join("; or ")}`) }];
};

/** `[{ access: [read] }, { access: [submit] }]` says the same as `[{ access: [read, submit] }]`. */
const merged = <K extends string>(patterns: readonly Patterns<K>[], keys: readonly K[]): readonly Patterns<K>[] => {
  const single = new Map<K, string[]>();
  const others: Patterns<K>[] = [];
  for (const pattern of patterns) {
    const [key, ...more] = keys.filter((name) => pattern[name] !== undefined);
    if (key === undefined || more.length > 0) others.push(pattern);
    else single.set(key, [...(single.get(key) ?? []), ...(pattern[key] ?? [])]);
  }
  const singles = [...single].map(([key, values]) => ({ [key]: [...new Set(values)] }) as unknown as Patterns<K>);
  return [...singles, ...others];
};

const operationCel = (key: OperationKey, values: readonly string[]): string => fits(`operation.${key}`, values);

/** A claim that is not there fits nothing. */
const callerCel = (key: CallerKey, values: readonly string[]): string => {
  switch (key) {
    case "groups":
      return `caller.groups.exists(g, ${fits("g", values)})`;
    case "issuer":
      return either([
        ...some(
          values.filter((value) => !isAddress(value)),
          "caller.issuer_name",
        ),
        ...some(values.filter(isAddress), "caller.issuer"),
      ]);
    case "subject":
      return fits("caller.subject", values);
    case "repository":
    case "owner":
      return either([
        ...some(values.filter(isNumber), `caller.${numbered[key]}`),
        ...some(
          values.filter((value) => !isNumber(value)),
          `caller.${claims[key]}`,
        ),
      ]);
    case "ref":
    case "environment":
    case "workflow":
    case "event":
    case "actor":
      return either(some(values, `caller.${claims[key]}`));
    default:
      return key satisfies never;
  }
};

/** Claims of GitHub's tokens: https://docs.github.com/en/actions/concepts/security/openid-connect */
const claims = {
  repository: "repository",
  owner: "repository_owner",
  ref: "ref",
  environment: "environment",
  workflow: "workflow_ref",
  event: "event_name",
  actor: "actor",
} as const;
const numbered = { repository: "repository_id", owner: "repository_owner_id" } as const;

const some = (values: readonly string[], claim: string): string[] =>
  values.length === 0
    ? []
    : [always.has(claim) ? fits(claim, values) : `has(${claim}) && ${group(fits(claim, values))}`];

/** Of every caller, whoever the issuer is. */
const always = new Set(["caller.issuer", "caller.issuer_name"]);

const isNumber = (value: string): boolean => /^\d+$/.test(value);
const isAddress = (value: string): boolean => value.includes("://");

/** Equal to one of the values, or like one of the patterns among them. */
const fits = (name: string, values: readonly string[]): string => {
  const [first = "", ...more] = values.filter((value) => !isPattern(value));
  const exact = first === "" && more.length === 0 ? [] : [first, ...more];
  const patterns = values.filter(isPattern);
  return either([
    ...(exact.length === 1 ? [`${name} == ${quoted(first)}`] : []),
    ...(exact.length > 1 ? [`${name} in [${exact.map(quoted).join(", ")}]`] : []),
    ...(patterns.length > 0 ? [`${name}.re(${quoted(expressionOf(patterns))})`] : []),
  ]);
};

export const isPattern = (value: string): boolean => /[*?]/.test(value);

/** RE2: `**` is any text, `*` text without `/`, `?` one character but `/`; the whole text has to fit. */
export const expressionOf = (patterns: readonly string[]): string => {
  const alternatives = patterns.map((pattern) =>
    pattern.replace(/\*\*+|\*|\?|[^*?]+/g, (piece) => {
      if (piece.startsWith("**")) return "(?s:.*)";
      if (piece === "*") return "[^/]*";
      return piece === "?" ? "[^/]" : piece.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
    }),
  );
  return String.raw`\A(?:${alternatives.join("|")})\z`;
};

const windowsOf = (key: "during" | "outside", windows: readonly TimeWindow[]): Longhand => {
  const inside = either(windows.map(windowCel));
  return {
    key,
    cel: key === "during" ? inside : `!(${inside})`,
    shown: short(`${key}: ${windows.map(windowShown).join("; or ")}`),
  };
};

const windowCel = ({ days, hours, from, until, zone }: TimeWindow): string => {
  const clock = (what: "weekday" | "date" | "time"): string => `now.${what}(${quoted(zone)})`;
  const stamp = `${clock("date")} + "T" + ${clock("time")}`;
  const onDays = (shift: number): string =>
    days === undefined ? "true" : `${clock("weekday")} in [${shifted(days, shift).map(quoted).join(", ")}]`;
  const since = (time: string): string => `${clock("time")} >= ${quoted(time)}`;
  const before = (time: string): string => `${clock("time")} < ${quoted(time)}`;
  const parts: string[] = [];
  if (hours === undefined) {
    if (days !== undefined) parts.push(onDays(0));
  } else if (hours.from < hours.until) parts.push(both([onDays(0), since(hours.from), before(hours.until)]));
  // The hours after midnight belong to the day on which the night began.
  else parts.push(either([both([onDays(0), since(hours.from)]), both([onDays(1), before(hours.until)])]));
  if (from !== undefined) parts.push(`${from.includes("T") ? stamp : clock("date")} >= ${quoted(from)}`);
  if (until !== undefined)
    parts.push(until.includes("T") ? `${stamp} < ${quoted(until)}` : `${clock("date")} <= ${quoted(until)}`);
  return both(parts);
};

const shifted = (days: readonly (typeof weekdays)[number][], by: number): string[] =>
  days.map((day) => weekdays[(weekdays.indexOf(day) + by) % weekdays.length] ?? day);

const windowShown = ({ days, hours, from, until, zone }: TimeWindow): string =>
  [
    ...(days === undefined ? [] : [days.join(", ")]),
    ...(hours === undefined ? [] : [`${hours.from}-${hours.until}`]),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
    zone,
  ].join(" ");

const both = (parts: readonly string[]): string => {
  const needed = parts.filter((part) => part !== "true");
  return needed.length <= 1 ? (needed[0] ?? "true") : needed.map(group).join(" && ");
};

/** As a balanced tree: a chain of hundreds would be too deep for CEL. */
const either = (parts: readonly string[]): string => {
  const [only] = parts;
  if (only === undefined) return "false";
  if (parts.length === 1) return only;
  const middle = Math.ceil(parts.length / 2);
  return `${group(either(parts.slice(0, middle)))} || ${group(either(parts.slice(middle)))}`;
};

const group = (part: string): string => (/&&|\|\||^!/.test(part) ? `(${part})` : part);

/** JSON's escapes are CEL's too. */
const quoted = (value: string): string => JSON.stringify(value);

const short = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);
