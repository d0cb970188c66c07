/**
 * Runs an action and its job's steps as GitHub's runner does: inputs and files in the environment, main, steps, then post.
 *
 * @see https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#environment-files
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

export type RunnerOptions = {
  /** What the runner sets for every step: `GITHUB_*`, `RUNNER_*`, `ACTIONS_ID_TOKEN_REQUEST_*`. */
  readonly env: Readonly<Record<string, string>>;
  /** Marks every process of its jobs; what an earlier job left running under the same name is ended. */
  readonly trackingId: string;
  readonly workspace: string;
  /** A folder of its own for the job's files; what an earlier job left there is removed. */
  readonly temp: string;
  /** Every line that a step prints, commands included. */
  readonly print: (line: string) => void;
};

const manifest = z.object({
  inputs: z.record(z.string(), z.object({ default: z.union([z.string(), z.boolean(), z.number()]).optional() })),
  runs: z.object({ main: z.string(), post: z.string() }),
});

type Performed = { readonly code: number; readonly state: Record<string, string> };

type Files = "ENV" | "OUTPUT" | "STATE" | "STEP_SUMMARY" | "PATH";

export class Runner {
  readonly #options: RunnerOptions;
  readonly #directory: string;
  /** What steps exported with `GITHUB_ENV`, for all later ones. */
  readonly #exported: Record<string, string> = {};
  #summary = "";
  #step: ChildProcess | null = null;
  #cancelled = false;

  private constructor(options: RunnerOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  static async start(options: RunnerOptions): Promise<Runner> {
    endLeftovers(options.trackingId);
    await rm(options.temp, { recursive: true, force: true });
    await mkdir(options.temp, { recursive: true, mode: 0o700 });
    return new Runner(options, resolve(options.temp));
  }

  /** Runs the action's main; the returned function runs its post with the state that main saved. */
  async uses(
    action: string,
    inputs: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; post(): Promise<number> }> {
    const { runs, inputs: declared } = manifest.parse(parse(await readFile(join(action, "action.yml"), "utf8")));
    const given = { ...defaultsOf(declared), ...inputs };
    const inputEnv = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value]),
    );
    const main = await this.#unlessCancelled([process.execPath, join(action, runs.main)], inputEnv);
    const state = Object.fromEntries(Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]));
    return {
      code: main.code,
      post: async () =>
        (await this.#perform([process.execPath, join(action, runs.post)], { ...inputEnv, ...state })).code,
    };
  }

  /** A `run:` step; its exit code. `ACTIONS_*` variables are for actions only. */
  async run(command: readonly string[]): Promise<number> {
    return (
      await this.#unlessCancelled(command, { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" })
    ).code;
  }

  /** Ends the step that runs and lets no other begin but `post`, which runs always. */
  cancel(): void {
    this.#cancelled = true;
    this.#step?.kill("SIGKILL");
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** What the steps wrote for the job summary, as Markdown. */
  get summary(): string {
    return this.#summary;
  }

  async close(): Promise<void> {
    endLeftovers(this.#options.trackingId);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #unlessCancelled(command: readonly string[], extra: Readonly<Record<string, string>>): Promise<Performed> {
    return this.#cancelled ? { code: 1, state: {} } : this.#perform(command, extra);
  }

  async #perform(command: readonly string[], extra: Readonly<Record<string, string>>): Promise<Performed> {
    const files = await this.#files();
    const env = {
      ...machineEnvironment(),
      ...this.#options.env,
      ...this.#exported,
      ...extra,
      RUNNER_TEMP: this.#directory,
      RUNNER_TRACKING_ID: this.#options.trackingId,
      ...files,
    };
    const code = await this.#spawn(command, env);
    Object.assign(this.#exported, parseEnvironmentFile(await readFile(files.GITHUB_ENV, "utf8")));
    this.#summary += await readFile(files.GITHUB_STEP_SUMMARY, "utf8");
    return { code, state: parseEnvironmentFile(await readFile(files.GITHUB_STATE, "utf8")) };
  }

  async #files(): Promise<Record<`GITHUB_${Files}`, string>> {
    const path = (name: Files): string => join(this.#directory, name.toLowerCase());
    const names: readonly Files[] = ["ENV", "OUTPUT", "STATE", "STEP_SUMMARY", "PATH"];
    await Promise.all(names.map((name) => writeFile(path(name), "")));
    return {
      GITHUB_ENV: path("ENV"),
      GITHUB_OUTPUT: path("OUTPUT"),
      GITHUB_STATE: path("STATE"),
      GITHUB_STEP_SUMMARY: path("STEP_SUMMARY"),
      GITHUB_PATH: path("PATH"),
    };
  }

  #spawn([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
    const child = spawn(program, args, { cwd: this.#options.workspace, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#step = child;
    for (const stream of [child.stdout, child.stderr]) printLines(stream, this.#options.print);
    return new Promise((ended, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        this.#step = null;
        ended(code ?? 1);
      });
    });
  }
}

const defaultsOf = (declared: z.infer<typeof manifest>["inputs"]): Record<string, string> =>
  Object.fromEntries(Object.entries(declared).map(([name, input]) => [name, String(input.default ?? "")]));

/** What a runner's machine would have: nobody's Datadog keys, and nothing of a job that this process may itself be a step of. */
const machineEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DD|DATADOG|GITHUB|ACTIONS|RUNNER|INPUT|STATE)_/.test(name)),
  );

/** `NAME=value` and `NAME<<DELIMITER` blocks. */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const block = /^([^=]+?)<<(.+)$/.exec(line);
    if (block === null) {
      const equals = line.indexOf("=");
      if (equals > 0) values[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const [, name = "", delimiter] = block;
    const end = lines.indexOf(delimiter ?? "", i + 1);
    if (end === -1) throw new Error(`environment file: the value of ${name} has no closing ${delimiter}`);
    values[name] = lines.slice(i + 1, end).join("\n");
    i = end;
  }
  return values;
}

/** As the runner does at a job's end: by the mark in a process's environment. Where there is no /proc, nothing is found. */
function endLeftovers(trackingId: string): void {
  const mark = `RUNNER_TRACKING_ID=${trackingId}\0`;
  for (const name of listProcesses()) {
    try {
      if (readFileSync(`/proc/${name}/environ`, "latin1").includes(mark)) process.kill(Number(name), "SIGKILL");
    } catch {
      // It is another user's, or it has just ended.
    }
  }
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  } catch {
    return [];
  }
}

function printLines(stream: NodeJS.ReadableStream, print: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) print(line);
  });
  stream.on("end", () => {
    if (rest !== "") print(rest);
  });
}
