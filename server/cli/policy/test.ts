/** `dogwatch policy test FILE`: table tests of a policy; every failure with its place and what came instead. */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Environment } from "../../config/load.ts";
import { readText } from "../../config/source.ts";
import { buildCatalogue } from "../../datadog/catalogue.ts";
import { type PolicyTest, runTest, type TestResult } from "../../journeys/policy/table.ts";
import { Trial } from "../../journeys/policy/trial.ts";
import type { Problem } from "../../model/config.ts";
import type { Rulebook } from "../../rulebook.ts";
import { isRulebook, readPolicyFile } from "./policyFile.ts";
import { isTableFile, readTableFile, type TableFile } from "./tableFile.ts";
import { isTests, testsOf } from "./tableTests.ts";
import { listProblems, oneLine, wrongUsage } from "../words.ts";
import type { Answer } from "../answer.ts";

export type TestRequest = {
  /** The tests, or the policy beside which they are: `dogwatch.yaml` has them in `dogwatch.test.yaml`. */
  readonly file: string;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  readonly env: Environment;
  readonly now: Date;
};

/** Exit code 0: all passed; 1: some did not; 2: the tests or the policy cannot be used. */
export async function testPolicy(request: TestRequest): Promise<Answer> {
  const file = tableOf(request.file);
  if (!existsSync(file))
    return wrongUsage(
      `${file} is not there: tests are beside their policy, as dogwatch.test.yaml beside dogwatch.yaml`,
    );
  if (isPolicyAlone(file)) return wrongUsage(`there are no tests beside ${file}: write them in ${besideOf(file)}`);
  const table = readTableFile(file);
  if (!isTableFile(table)) return listProblems(table);
  const policyFile = join(dirname(file), table.table.policy ?? basename(file).replace(testEnding, "$1"));
  if (policyFile === file || !existsSync(policyFile)) return listProblems([noPolicy(table, policyFile)]);
  const catalogue = buildCatalogue();
  const rulebook = readPolicyFile({ file: policyFile, config: request.config, env: request.env, catalogue });
  if (!isRulebook(rulebook)) return listProblems(rulebook);
  const tests = testsOf(table.table, rulebook, request.now);
  if (!isTests(tests)) return listProblems(tests.map(table.place));

  const trial = new Trial({ ...rulebook, catalogue });
  const ran: Ran[] = [];
  for (const [index, test] of tests.entries())
    ran.push({ test, place: table.place({ path: ["tests", index], message: "" }), result: await runTest(trial, test) });
  const exitCode = ran.every(passed) ? 0 : 1;
  return { exitCode, output: request.json === true ? asJson(ran, rulebook) : forPeople(ran) };
}

type Ran = { readonly test: PolicyTest; readonly place: Problem; readonly result: TestResult };

const testEnding = /\.tests?(\.ya?ml)$/;

const besideOf = (file: string): string => file.replace(/(\.ya?ml)$/, ".test$1");

const tableOf = (file: string): string =>
  !testEnding.test(file) && existsSync(besideOf(file)) ? besideOf(file) : file;

const isPolicyAlone = (file: string): boolean => {
  const text = readText(file);
  return typeof text === "string" && !/^tests:/m.test(text) && /^(identity|connections):|^policy:\s*$/m.test(text);
};

const noPolicy = ({ place, table }: TableFile, file: string): Problem =>
  place({
    path: table.policy === undefined ? [] : ["policy"],
    message: `the policy ${file} is not there: say which one is tested with policy: FILE`,
  });

const passed = ({ result }: Ran): boolean => result.differences.length === 0;

function forPeople(ran: readonly Ran[]): string {
  const failures = ran.filter((one) => !passed(one));
  const count = ran.length - failures.length;
  return `${failures.map(failure).join("")}${count} passed, ${failures.length} failed\n`;
}

function failure({ test, place, result: { outcome, differences } }: Ran): string {
  const { call } = test;
  const target = `${call.method} ${call.path}${call.query === "" ? "" : `?${call.query}`}`;
  const meant = outcome.operation === null ? "" : ` is ${outcome.operation.id} (${outcome.operation.access})`;
  const diff = differences.flatMap(({ of, expected, got }) => [
    `  - expected ${of}: ${expected}\n`,
    `  + got      ${of}: ${got}\n`,
  ]);
  const reason = differences.some(({ of }) => of === "reason") ? "" : `    because: ${outcome.reason}\n`;
  return (
    `${place.file}:${place.line}:${place.column} ${oneLine(test.name)}\n` +
    `    ${oneLine(target)}${meant}, by ${oneLine(call.caller.subject || call.caller.issuer_name)} on ${call.connection}\n` +
    `${diff.join("")}${reason}\n`
  );
}

function asJson(ran: readonly Ran[], { config, policy }: Rulebook): string {
  const tests = ran.map(({ test, place, result: { outcome, differences } }) => ({
    name: test.name,
    file: place.file,
    line: place.line,
    column: place.column,
    passed: differences.length === 0,
    effect: outcome.effect,
    rules: outcome.rules,
    reason: outcome.reason,
    operation: outcome.operation?.id ?? null,
    differences,
  }));
  const failed = tests.filter((test) => !test.passed).length;
  const report = { file: config.file, policy: policy.digest, passed: tests.length - failed, failed, tests };
  return `${JSON.stringify(report, null, 2)}\n`;
}
