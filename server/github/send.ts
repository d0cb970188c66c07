/** Sends one request to GitHub's API, and says of everything that can go wrong whether it may have been done. */

import { setTimeout as pause } from "node:timers/promises";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";
import { GitHubFailure } from "../model/github.ts";
import type { Log } from "../model/log.ts";
import type { Limits } from "./limits.ts";

/** The version of the API that this client was written against; GitHub keeps it for years. */
const apiVersion = "2022-11-28";

/** ms before a read is sent again; as often as there are entries. */
const pauses = [100, 500] as const;

export type Ask = {
  /** `read`s are sent again when their answer was lost; `change`s may be, by whoever asked; `create`s must not be. */
  readonly kind: "read" | "change" | "create";
  /** `GET /repos/{owner}/{repo}` */
  readonly route: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Of the conditional request: what the last answer's `ETag` said. */
  readonly etag?: string | null;
  /** For messages: `read pull request 7 of 'acme/checkout'`. */
  readonly doing: string;
  /** Whoever writes many comments is answered one by one, and keeps no question waiting. */
  readonly lane?: "reply";
};

export type Credentials = {
  readonly token: string;
  /** Whose rate limit it is: that of the App, or of one installation. */
  readonly whose: string;
};

/** Whatever GitHub answered below 500; 304 and refusals too. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly data: unknown;
};

export type Send = (ask: Ask, credentials: Credentials) => Promise<Answer>;

/** The global `fetch` is one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type SendOptions = {
  readonly apiUrl: string;
  readonly log: Log;
  readonly fetch: Fetch;
  readonly limits: Limits;
  /** ms, from sending to the last byte of the answer. */
  readonly patience: number;
  /** Of this client's queue: two clients of one process do not wait for each other. */
  readonly queue: string;
};

/** The rejections of what it returns are `GitHubFailure`s. */
export const createSend = (options: SendOptions): Send => {
  const octokit = createOctokit(options);
  const replies = createOctokit({ ...options, queue: `${options.queue} replies` });
  const once = (ask: Ask, { token }: Credentials): Promise<Answer | Lost> =>
    (ask.lane === "reply" ? replies : octokit)
      .request(ask.route, {
        ...ask.parameters,
        headers: {
          authorization: `Bearer ${token}`,
          "x-github-api-version": apiVersion,
          ...(ask.etag == null ? {} : { "if-none-match": ask.etag }),
        },
      })
      .then(wholeAnswer, answerOfError);
  return async (ask, credentials) => {
    options.limits.check(credentials.whose, ask.doing);
    let outcome = await once(ask, credentials);
    if (ask.kind === "read")
      for (const ms of pauses) {
        if (!mayAskAgain(outcome)) break;
        await pause(ms);
        outcome = await once(ask, credentials);
      }
    if ("lost" in outcome) throw failureOf(outcome, { ask, patience: options.patience });
    options.limits.heed(credentials.whose, { answer: outcome, doing: ask.doing });
    return outcome;
  };
};

const createOctokit = ({ apiUrl, log, fetch, patience, queue }: SendOptions): Octokit => {
  const words = {
    debug: () => undefined,
    info: () => undefined,
    // One for every refused request: whoever asked says what it means.
    error: () => undefined,
    warn: (message: string) => log.warn({}, `GitHub's client: ${message}`),
  };
  // GitHub's own advice on pace: one write a second, one that notifies people every three, reads at once; all of it bounded.
  // What exceeds a limit is not repeated by the plugin: whoever asked decides.
  return new (Octokit.plugin(throttling))({
    baseUrl: apiUrl.replace(/\/+$/, ""),
    userAgent: "dogwatch",
    log: words,
    throttle: {
      id: queue,
      enabled: !isOwnServer(apiUrl),
      onRateLimit: () => undefined,
      onSecondaryRateLimit: () => undefined,
    },
    request: {
      log: words,
      // A redirect is a renamed repository: its id is looked at before anything goes there, and a POST must not turn into a GET.
      redirect: "manual",
      fetch: (url: string, init: RequestInit) => fetch(url, { ...init, signal: AbortSignal.timeout(patience) }),
    },
  });
};

/**
 * A server of one's own has no limits unless its administrator sets some, and then it says so in its answers like github.com: nobody waits there.
 *
 * @see https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
const isOwnServer = (apiUrl: string): boolean => new URL(apiUrl).pathname.replace(/\/+$/, "") === "/api/v3";

/** No answer, or none that says what happened. `sent`: it may have been done. */
type Lost = {
  readonly lost: "unreached" | "timeout" | "broken" | "error";
  readonly sent: boolean;
  /** `ECONNREFUSED`, `502` */
  readonly code?: string;
};

const wholeAnswer = ({ status, headers, data }: Awaited<ReturnType<Octokit["request"]>>): Answer | Lost => {
  // The API speaks JSON: text is an answer that broke off, or somebody else's.
  if (status === 200 || status === 201) if (typeof data !== "object") return { lost: "broken", sent: true };
  return { status, headers: textHeaders(headers), data };
};

const answerOfError = (error: unknown): Answer | Lost => {
  const { response } = error as { response?: { status: number; headers: object; data: unknown } };
  if (response === undefined) return lostIn(error);
  if (response.status >= 500) return { lost: "error", sent: true, code: String(response.status) };
  return { status: response.status, headers: textHeaders(response.headers), data: response.data };
};

const textHeaders = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** Before a connection stands nothing is sent; these say that none ever stood. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

const lostIn = (error: unknown): Lost => {
  const reasons = reasonsOf(error);
  const codes = reasons.flatMap(({ code }) => (typeof code === "string" ? [code] : []));
  const [code] = codes;
  const named = code === undefined ? {} : { code };
  if (codes.length > 0 && codes.every((each) => neverConnected.has(each)))
    return { lost: "unreached", sent: false, ...named };
  const late = reasons.some(({ name }) => name === "TimeoutError" || name === "AbortError");
  return { lost: late ? "timeout" : "broken", sent: true, ...named };
};

type Reason = { readonly name?: unknown; readonly code?: unknown; readonly cause?: unknown; readonly errors?: unknown };

/** An error, what caused it, and every attempt of several addresses. */
const reasonsOf = (error: unknown, depth = 0): Reason[] => {
  if (typeof error !== "object" || error === null || depth > 5) return [];
  const { cause, errors } = error as Reason;
  const attempts: unknown[] = Array.isArray(errors) ? errors : [];
  return [error, ...[cause, ...attempts].flatMap((each) => reasonsOf(each, depth + 1))];
};

const mayAskAgain = (outcome: Answer | Lost): boolean =>
  "lost" in outcome && (outcome.lost === "broken" || outcome.lost === "error");

const failureOf = (
  { lost, sent, code }: Lost,
  { ask: { kind, doing }, patience }: { readonly ask: Ask; readonly patience: number },
): GitHubFailure => {
  const reason = {
    unreached: "GitHub cannot be reached",
    timeout: `GitHub did not answer within ${patience / 1_000} seconds`,
    broken: "GitHub's answer broke off",
    error: "GitHub answered with an error of its own",
  }[lost];
  const why = code === undefined ? reason : `${reason} (${code})`;
  return sent && kind === "create"
    ? new GitHubFailure("uncertain", `${why}: to ${doing} may have succeeded`)
    : new GitHubFailure("unreachable", `${why}: could not ${doing}`);
};
