/** `dogwatch policy backtest NEW.yaml`: which recorded calls another policy would have decided otherwise. */

import { isConfig } from "../../config/load.ts";
import { buildCatalogue, type Catalogue } from "../../datadog/catalogue.ts";
import {
  backtest,
  type BacktestReport,
  type CallName,
  type Change,
  type ChangeGroup,
} from "../../journeys/policy/backtest.ts";
import { Trial } from "../../journeys/policy/trial.ts";
import type { Config } from "../../model/config.ts";
import type { Rulebook } from "../../rulebook.ts";
import { isRulebook, readConfiguration, readPolicyFile } from "./policyFile.ts";
import {
  type CommandContext,
  databaseMissing,
  filterOf,
  isAnswer,
  openRecordings,
  type Selection,
} from "./recordings.ts";
import { counted, listProblems, oneLine } from "../words.ts";
import type { Answer } from "../answer.ts";

export type BacktestRequest = Selection & {
  /** The changed policy: a whole configuration, or its `policy:` alone. */
  readonly file: string;
  /** The configuration of the gateway whose recordings are read; default: the changed one's. */
  readonly config?: string | undefined;
  readonly database?: string | undefined;
  readonly json?: boolean | undefined;
  /** Prints each changed call as it is found. */
  readonly every?: boolean | undefined;
};

/** Exit code 0: nothing changes; 1: something does; 2: wrong usage or configuration. @throws GatewayError without a database */
export async function backtestPolicy(
  request: BacktestRequest,
  { env, now }: CommandContext,
  print: (text: string) => void,
): Promise<Answer> {
  const catalogue = buildCatalogue();
  const rulebook = readPolicyFile({ ...request, env, catalogue });
  if (!isRulebook(rulebook)) return listProblems(rulebook);
  const recorded = recordedBy({ ...request, env, catalogue }, rulebook);
  if (!isConfig(recorded)) return listProblems(recorded);
  const missing = databaseMissing(recorded, request.database);
  if (missing !== null) return missing;
  const filter = filterOf({ ...request, since: request.since ?? "7d" }, now);
  if (isAnswer(filter)) return filter;

  const link = linkTo(recorded.publicUrl);
  const show = (change: Change): void => print(request.json === true ? jsonLine(change, link) : line(change, link));
  const { reader, close } = await openRecordings(recorded, request.database);
  try {
    const report = await backtest(
      new Trial({ ...rulebook, catalogue }),
      {
        pages: reader.pages(filter),
        bodies: (places) => reader.bodies(places),
        inspect: rulebook.config.limits.inspect,
      },
      request.every === true ? show : undefined,
    );
    const notTried = rulebook.policy.answerRules.length;
    const whole = {
      ...report,
      since: filter.since ?? null,
      policy: rulebook.policy.digest,
      rules_on_answers: notTried,
    };
    if (request.json === true)
      return {
        exitCode: exitOf(report),
        output: `${JSON.stringify(asJson(whole, link), null, request.every === true ? 0 : 2)}\n`,
      };
    return { exitCode: exitOf(report), output: forPeople({ ...whole, file: request.file }, link) };
  } finally {
    await close();
  }
}

const recordedBy = (
  request: Pick<BacktestRequest, "config"> & CommandEnvironment,
  rulebook: Rulebook,
): Config | ReturnType<typeof readConfiguration> =>
  request.config === undefined ? rulebook.config : readConfiguration({ ...request, file: request.config });

type CommandEnvironment = { readonly env: CommandContext["env"]; readonly catalogue: Catalogue };

/** Nothing that was read is no proof of anything. */
const exitOf = ({ calls, changed }: BacktestReport): Answer["exitCode"] => (calls === 0 ? 2 : changed > 0 ? 1 : 0);

type Link = (call: CallName) => string;

const linkTo =
  (publicUrl: string): Link =>
  ({ session_id, n }) =>
    `${publicUrl.replace(/\/$/, "")}/sessions/${session_id}/calls/${n}`;

const nameOf = ({ call }: Change): CallName => ({ session_id: call.session.id, n: call.n });

const line = (change: Change, link: Link): string =>
  `${link(nameOf(change))} ${change.after.operation?.id ?? change.call.operation}: ${change.before} → ${change.after.effect}, ${change.after.reason}\n`;

const jsonLine = (change: Change, link: Link): string => {
  const { call, before, after } = change;
  const name = nameOf(change);
  return `${JSON.stringify({
    id: `${name.session_id}/${name.n}`,
    url: link(name),
    operation: after.operation?.id ?? call.operation,
    before,
    after: after.effect,
    rules: after.rules,
    reason: after.reason,
  })}\n`;
};

type WholeReport = BacktestReport & {
  readonly since: Date | null;
  readonly policy: string;
  readonly rules_on_answers: number;
};

const asJson = ({ groups, unsettled, since, ...rest }: WholeReport, link: Link) => {
  const named = (call: CallName) => ({ id: `${call.session_id}/${call.n}`, url: link(call) });
  return {
    since: since?.toISOString() ?? null,
    ...rest,
    unsettled: { count: unsettled.count, examples: unsettled.examples.map(named) },
    groups: groups.map((group) => ({ ...group, examples: group.examples.map(named) })),
  };
};

function forPeople(report: WholeReport & { readonly file: string }, link: Link): string {
  const { calls, changed, since, file } = report;
  const when = since === null ? "" : ` since ${since.toISOString()}`;
  if (calls === 0) return `no recorded call${when} fits: nothing was decided again\n`;
  const verdict =
    changed === 0 ? "no decision changes" : `${counted(changed, "decision")} ${changed === 1 ? "changes" : "change"}`;
  const operations = [...Map.groupBy(report.groups, ({ operation, access }) => `${operation} (${access})`)];
  const changes = operations.map(
    ([operation, groups]) => `\n${operation}\n${groups.map((group) => forGroup(group, link)).join("")}`,
  );
  return `${counted(calls, "call")}${when}, decided again by ${file}: ${verdict}\n${changes.join("")}${notes(report, link)}`;
}

function forGroup(
  { caller, connection, count, before, after, rules, reason, examples }: ChangeGroup,
  link: Link,
): string {
  const by = rules.length === 0 ? "" : ` by ${rules.join(", ")}`;
  const more = count > examples.length ? ` and ${counted(count - examples.length, "call")} more` : "";
  return (
    `  ${oneLine(caller)} on ${connection}: ${counted(count, "call")}, ${before} → ${after}${by}\n    ${reason}\n` +
    `${examples.map((call) => `    ${link(call)}`).join("\n")}${more}\n`
  );
}

function notes({ ungrouped, undecided, unsettled, rules_on_answers }: WholeReport, link: Link): string {
  const said: string[] = [];
  if (ungrouped > 0)
    said.push(`${counted(ungrouped, "changed call")} of further kinds are not listed; --every prints them`);
  if (unsettled.count > 0)
    said.push(
      `${counted(unsettled.count, "call")} cannot be decided again: a rule reads a body that was not recorded whole, like ${unsettled.examples.map(link).join(" ")}`,
    );
  if (undecided > 0) said.push(`${counted(undecided, "call")} never came to a decision (malformed, or broken off)`);
  if (rules_on_answers > 0)
    said.push(`${counted(rules_on_answers, "rule")} on answers (phase: response) cannot be tried on recordings`);
  return said.length === 0 ? "" : `\n${said.map((text) => `note: ${text}\n`).join("")}`;
}
