/** How `dogwatch github setup` says what came of it: for people, or as JSON. */

import type { Created } from "../../journeys/setup.ts";
import type { AppInstallation, Trial } from "../../model/gitHubApp.ts";
import type { Answer } from "../answer.ts";
import { readable } from "../words.ts";

/** What came of it; nothing secret. */
export type Outcome = {
  readonly made: Created | null;
  readonly appId: string;
  readonly install_url: string | null;
  readonly installations: readonly AppInstallation[];
  readonly trial: (Trial & { readonly pull: string }) | null;
};

export function report(
  outcome: Outcome,
  { json, file }: { readonly json: true | undefined; readonly file: string },
): Answer {
  const { made, installations, trial } = outcome;
  const problems = [
    ...(made?.kept.unwritten == null ? [] : [`${made.kept.unwritten}: put the section below into it`]),
    ...(installations.length === 0 ? [`the App is not installed anywhere yet: ${outcome.install_url}`] : []),
    ...installations.flatMap(({ account, lacking, url }) =>
      lacking.map(
        (permission) => `on ${account} the App lacks ${permission}: add it in its settings, then accept it at ${url}`,
      ),
    ),
    ...(trial?.problems ?? []),
  ];
  const distinct = [...new Set(problems)];
  const exitCode = distinct.length === 0 ? 0 : 1;
  if (json === true) return { exitCode, output: `${JSON.stringify(jsonOf(outcome, file, distinct), null, 2)}\n` };
  return {
    exitCode,
    output: `${[...linesOf(outcome, file), ...distinct.map((problem) => `! ${readable(problem, 500)}`)].join("\n")}\n`,
  };
}

function linesOf({ made, appId, installations, trial }: Outcome, file: string): string[] {
  return [
    ...(made === null
      ? [`App ${appId}`]
      : [
          `App ${made.app.appId}: ${readable(made.app.name)}, ${readable(made.app.url)}`,
          `  its key and secrets: ${made.kept.folder}`,
          ...(made.kept.before === null ? [] : [`  those of the App before: ${made.kept.before}`]),
          ...(made.kept.unwritten === null
            ? [`  named in ${file}; restart the gateway, every replica of it`]
            : [`  not named in ${file} yet:`, "", made.kept.yaml.trimEnd(), ""]),
        ]),
    ...installations.map(
      ({ account, repositories }) =>
        `installed on ${readable(account)}, ${repositories === "all" ? "all repositories" : "selected repositories"}`,
    ),
    ...(trial?.url == null ? [] : [`wrote a test comment: ${readable(trial.url)}`]),
  ];
}

/** Nothing secret is in it. */
function jsonOf(
  { made, appId, install_url, installations, trial }: Outcome,
  file: string,
  problems: readonly string[],
) {
  return {
    app: {
      id: appId,
      ...(made === null ? {} : { slug: made.app.slug, name: made.app.name, owner: made.app.owner, url: made.app.url }),
    },
    made: made !== null,
    folder: made?.kept.folder ?? null,
    configuration: made === null ? null : { file, written: made.kept.unwritten === null, section: made.kept.yaml },
    install_url,
    installations,
    trial,
    problems,
  };
}
