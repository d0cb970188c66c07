/** Tries a policy text in a process of its own, which is killed when it takes too long or too much, or when whoever asked is gone. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TextTrial, TryParts } from "./journeys/policy/tryText.ts";
import type { Config } from "./model/config.ts";
import type { Job } from "./tryPolicy/job.ts";

export type PolicyTrialsOptions = {
  /** Whose issuers, connections and limits surround the text. */
  config(): Config;
  /** Of the database with the recordings. */
  readonly connectionString: string;
  /** ms until it reads no more recordings, and until it is killed. */
  readonly patience?: { readonly reading: number; readonly whole: number } | undefined;
  /** MiB of V8's heap. */
  readonly memory?: number;
};

/** Less than proxies wait for an answer. */
const usualPatience = { reading: 20_000, whole: 30_000 };
const usualMemory = 256;
/** Processes at a time, all askers together: calls of agents come first. */
const mostAtOnce = 2;

const program = fileURLToPath(new URL("tryPolicy/process.ts", import.meta.url));

export class PolicyTrials {
  readonly #options: PolicyTrialsOptions;
  /** By who asked. */
  readonly #running = new Map<string, AbortController>();

  constructor(options: PolicyTrialsOptions) {
    this.#options = options;
  }

  readonly tryText: TryParts["tryText"] = async ({ who, text, since, signal }) => {
    if (this.#running.has(who)) return { kind: "busy", why: "person" };
    if (this.#running.size >= mostAtOnce) return { kind: "busy", why: "gateway" };
    const stop = new AbortController();
    this.#running.set(who, stop);
    try {
      const { patience = usualPatience, connectionString, config } = this.#options;
      const job = { text, rest: surroundingsOf(config()), connectionString, since, reading: patience.reading };
      return await this.#run(job, AbortSignal.any([signal, stop.signal]));
    } finally {
      this.#running.delete(who);
    }
  };

  /** Ends all that run. */
  stop(): void {
    for (const running of this.#running.values()) running.abort();
  }

  async #run(job: Job, signal: AbortSignal): Promise<TextTrial> {
    if (signal.aborted) return { kind: "stopped", why: "gone" };
    const { patience = usualPatience, memory = usualMemory } = this.#options;
    const child = start(memory);
    const { promise, resolve } = Promise.withResolvers<TextTrial>();
    const timer = setTimeout(() => resolve({ kind: "stopped", why: "time" }), patience.whole);
    const gone = (): void => resolve({ kind: "stopped", why: "gone" });
    signal.addEventListener("abort", gone, { once: true });
    child.once("message", (tried) => resolve(tried as TextTrial));
    // Too little memory for it, as a rule.
    child.once("exit", () => resolve({ kind: "stopped", why: "broken" }));
    child.once("error", () => resolve({ kind: "stopped", why: "broken" }));
    child.send(job, () => undefined);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", gone);
      child.kill("SIGKILL");
    }
  }
}

/** It knows nothing of this process's environment, arguments and files. */
const start = (memory: number): ChildProcess =>
  fork(program, [], {
    env: {},
    execArgv: [`--max-old-space-size=${memory}`, "--max-semi-space-size=8"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });

/** What rules can name of a configuration, and who may open a session; no secret of it. */
const surroundingsOf = ({ publicUrl, identity, connections, limits, github }: Config): Job["rest"] => ({
  publicUrl,
  identity: {
    issuers: identity.issuers.map(({ name, issuer, kind, allow }) => ({
      name,
      issuer,
      kind,
      allow,
      audience: "none",
    })),
  },
  connections: connections.map(({ name, kind, site, allow }) => ({
    name,
    kind,
    site,
    ...(allow !== undefined && { allow }),
    apiKey: "none",
    appKey: "none",
  })),
  limits: { inspect: `${limits.inspect}B` },
  ...(github !== undefined && { github: { appId: "1", privateKey: "none", webhookSecret: "none" } }),
});
