/** A workflow job on this machine: runs the action's bundle as the runner does, with its files and variables. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export type Finished = { readonly code: number | null; readonly signal: string | null; readonly out: string };

/** Half of the time of a short program would go into compiling the same code again. */
const compiled = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };

/** Runs a program to its end, with its output and errors together. */
export const runToEnd = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  seen?: (child: ChildProcess) => void,
) =>
  new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, { env: { ...compiled, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, out }));
    seen?.(child);
  });

export type Job = {
  readonly directory: string;
  /** What the job's steps have in their environment now. */
  readonly env: Record<string, string>;
  readonly outputs: Record<string, string>;
  /** What `main` saved for `post`. */
  readonly state: Record<string, string>;
  main(inputs: Readonly<Record<string, string>>, env?: NodeJS.ProcessEnv): Promise<Finished>;
  post(env?: NodeJS.ProcessEnv): Promise<Finished>;
  /** A step that runs a program. */
  step(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished>;
  summary(): string;
  relayLog(): string;
  /** Ends the relay, should it live, and removes the files. */
  dispose(): void;
};

/** @param base the runner's own variables */
export const newJob = (base: NodeJS.ProcessEnv): Job => {
  const directory = mkdtempSync(join(tmpdir(), "dogwatch-job-"));
  const files = {
    GITHUB_ENV: "env",
    GITHUB_OUTPUT: "output",
    GITHUB_STATE: "state",
    GITHUB_STEP_SUMMARY: "summary",
    GITHUB_PATH: "path",
  };
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(directory, file)]));
  for (const path of Object.values(paths)) writeFileSync(path, "");
  const runner = { PATH: process.env["PATH"], HOME: directory, RUNNER_TEMP: directory, ...paths, ...base };
  let inputs: Record<string, string> = {};
  const job: Job = {
    directory,
    env: {},
    outputs: {},
    state: {},
    async main(given, env = {}) {
      inputs = Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
      const finished = await runToEnd(process.execPath, [join(root, "dist/main.js")], { ...runner, ...inputs, ...env });
      take();
      return finished;
    },
    async post(env = {}) {
      const state = Object.fromEntries(Object.entries(job.state).map(([name, value]) => [`STATE_${name}`, value]));
      const all = { ...runner, ...job.env, ...inputs, ...state, ...env };
      const finished = await runToEnd(process.execPath, [join(root, "dist/post.js")], all);
      take();
      return finished;
    },
    step: (command, args, env = {}) => runToEnd(command, args, { ...runner, ...job.env, ...env }),
    summary: () => readFileSync(paths["GITHUB_STEP_SUMMARY"] as string, "utf8"),
    relayLog: () => readFileSync(JSON.parse(job.state["log"] ?? '""'), "utf8"),
    dispose() {
      const relay = JSON.parse(job.state["relay"] ?? "null") as { pid: number } | null;
      try {
        if (relay) process.kill(relay.pid, "SIGKILL");
      } catch {} // it is gone, as it should be
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const take = () => {
    Object.assign(job.env, readCommands(paths["GITHUB_ENV"] as string));
    Object.assign(job.outputs, readCommands(paths["GITHUB_OUTPUT"] as string));
    Object.assign(job.state, readCommands(paths["GITHUB_STATE"] as string));
  };
  return job;
};

/** For the environment of `main`: code that is run in it in place of telling `post` of the relay. */
export const insteadOfNoting = (what: string): NodeJS.ProcessEnv => {
  const preload = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const append = fs.appendFileSync;
    const end = () => { ${what} };
    fs.appendFileSync = (file, text, ...rest) => (String(text).startsWith("relay<<") ? end() : append(file, text, ...rest));
    syncBuiltinESMExports();`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
};

/** `NAME<<DELIMITER\nVALUE\nDELIMITER` */
const readCommands = (path: string): Record<string, string> => {
  const found: Record<string, string> = {};
  const pattern = /^([^\n]+?)<<([^\n]+)\n([\s\S]*?)\n?\2$/gm;
  for (const [, name, , value] of readFileSync(path, "utf8").matchAll(pattern)) found[name as string] = value as string;
  return found;
};

export type TokenService = {
  /** What the runner gives a job with `permissions: id-token: write`. */
  readonly env: { ACTIONS_ID_TOKEN_REQUEST_URL: string; ACTIONS_ID_TOKEN_REQUEST_TOKEN: string };
  /** Every token it gave out; none is a real JWT. */
  readonly minted: string[];
  readonly audiences: string[];
  close(): Promise<void>;
};

/** GitHub's token service, as far as a job sees it. */
export const startTokenService = async (): Promise<TokenService> => {
  const bearer = randomBytes(24).toString("hex");
  const minted: string[] = [];
  const audiences: string[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const url = new URL(request.url ?? "", "http://127.0.0.1");
    if (request.headers.authorization !== `Bearer ${bearer}`) return void response.writeHead(401).end();
    minted.push(`header.${randomBytes(24).toString("base64url")}.signature`);
    audiences.push(url.searchParams.get("audience") ?? "");
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ value: minted.at(-1) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
    },
    minted,
    audiences,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
