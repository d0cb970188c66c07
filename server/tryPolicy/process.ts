/** The process in which a policy text from outside is tried: whatever it costs is this process's, which knows no environment and is killed in time. */

import { setPriority } from "node:os";
import { isConfig, parsePolicy } from "../config/load.ts";
import { buildCatalogue } from "../datadog/catalogue.ts";
import { GatewayError } from "../errors.ts";
import { backtest } from "../journeys/policy/backtest.ts";
import { Trial } from "../journeys/policy/trial.ts";
import type { TextTrial } from "../journeys/policy/tryText.ts";
import type { Problem } from "../model/config.ts";
import { findingsIn, rulebookOf } from "../rulebook.ts";
import { openCallReader, type RecordedCall } from "../store/replayCalls.ts";
import type { Job } from "./job.ts";

/** Of a text with more of them nobody mends the hundredth first. */
const mostProblems = 100;
const longestMessage = 600;
/** Groups and rules of a report: the largest groups come first, and the rest is counted. */
const mostGroups = 200;
const mostRules = 500;
const mostNames = 20;

async function tryText({ text, rest, connectionString, since, reading }: Job): Promise<TextTrial> {
  const end = performance.now() + reading;
  const catalogue = buildCatalogue();
  const config = parsePolicy(text, rest, (shaped) => findingsIn(shaped, catalogue));
  if (!isConfig(config)) return { kind: "problems", problems: config.slice(0, mostProblems).map(toldOf) };
  const rulebook = rulebookOf(config, catalogue);
  const reader = await openCallReader(connectionString);
  const seen: Seen = { complete: true, until: null };
  const report = await backtest(new Trial({ ...rulebook, catalogue }), {
    pages: within(reader.pages({ since }), end, seen),
    bodies: (places) => reader.bodies(places),
    inspect: config.limits.inspect,
  });
  const groups = report.groups.slice(0, mostGroups);
  return {
    kind: "report",
    report: {
      ...report,
      groups: groups.map((group) => ({
        ...group,
        reason: cut(group.reason, longestMessage),
        rules: some(group.rules),
        rules_before: some(group.rules_before),
      })),
      ungrouped: report.ungrouped + report.groups.slice(mostGroups).reduce((sum, { count }) => sum + count, 0),
      rules: report.rules.slice(0, mostRules),
      policy: rulebook.policy.digest,
      since,
      complete: seen.complete,
      looked_until: seen.until,
      rules_on_answers: rulebook.policy.answerRules.length,
    },
  };
}

type Seen = { complete: boolean; until: Date | null };

/** Stops between two pages when the time for reading is over. */
async function* within(
  pages: AsyncIterable<readonly RecordedCall[]>,
  end: number,
  seen: Seen,
): AsyncGenerator<readonly RecordedCall[]> {
  for await (const page of pages) {
    if (performance.now() > end) {
      seen.complete = false;
      return;
    }
    yield page;
    seen.until = page.at(-1)?.received_at ?? seen.until;
  }
}

const toldOf = ({ line, column, path, message }: Problem) => ({
  line,
  column,
  path: cut(path.join("."), longestMessage),
  message: cut(message, longestMessage),
});

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const some = (names: readonly string[]): readonly string[] =>
  names.length > mostNames ? [...names.slice(0, mostNames), `and ${names.length - mostNames} more`] : names;

const answer = async (job: Job): Promise<TextTrial> => {
  try {
    return await tryText(job);
  } catch (error) {
    if (error instanceof GatewayError) return { kind: "stopped", why: "recordings" };
    throw error;
  }
};

// Calls of agents come first.
setPriority(5);
// Without the gateway there is nobody to answer.
process.once("disconnect", () => process.exit());
process.once("message", (job) => void answer(job as Job).then((tried) => process.send?.(tried)));
