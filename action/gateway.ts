/** What the job's side asks of the gateway: a session, its renewal, its calls, its end. */

import type { z } from "zod";
import {
  apiError,
  approval,
  call,
  closeAnswer,
  page,
  tokenAnswer,
  tokenError,
  type ApprovalJson,
  type CallJson,
  type CloseAnswer,
  type TokenAnswer,
} from "../server/contract.ts";
import { IdentityProblem, type MintToken, reasonOf } from "./identity.ts";
import { ask, type Answer, type Network, ProxyProblem } from "./network.ts";

/** The gateway said no, or nothing; the message is one line that says what to do. */
export class GatewayProblem extends Error {
  /** True when the gateway could not be reached or is not able to serve now; another attempt may do. */
  readonly unavailable: boolean;
  /** The gateway's own code (`audience_mismatch`, …), or `unreachable`. */
  readonly code: string;
  constructor(code: string, message: string, options: { readonly unavailable: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "GatewayProblem";
    this.code = code;
    this.unavailable = options.unavailable;
  }
}

/** A gateway and the way there. `url` has no trailing slash in its path. */
export type Gateway = { readonly url: URL; readonly network: Network };

export type Wanted = { readonly audience: string; readonly connection?: string; readonly session?: string };

export const below = (base: URL, path: string): URL => new URL(`${base.href.replace(/\/+$/, "")}${path}`);

/** Exchanges a fresh identity token for a session token (RFC 8693 §2.1); with `session`, renews that session. */
export const openSession = async (gateway: Gateway, mint: MintToken, wanted: Wanted): Promise<TokenAnswer> => {
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: await mint(),
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
  });
  if (wanted.connection) form.set("connection", wanted.connection);
  if (wanted.session) form.set("session", wanted.session);
  const headers = { ...asked, "content-type": "application/x-www-form-urlencoded" };
  const answer = await reach(gateway, { method: "POST", path: "/v1/token", headers, body: form.toString() });
  if (answer.status !== 200) throw exchangeProblem(gateway, answer, wanted);
  return read(tokenAnswer, answer, gateway);
};

/** The same, tried again while the gateway cannot be reached: each attempt mints its own token. @param pauses milliseconds between attempts */
export const openSessionPatiently = async (
  open: () => Promise<TokenAnswer>,
  pauses: readonly number[],
): Promise<TokenAnswer> => {
  for (const pause of pauses) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof GatewayProblem && error.unavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return open();
};

export const closeSession = async (gateway: Gateway, bearer: string, session: string): Promise<CloseAnswer> => {
  const path = `/v1/sessions/${encodeURIComponent(session)}/close`;
  const answer = await reach(gateway, { method: "POST", path, headers: authorized(bearer), body: "" });
  if (answer.status !== 200) throw apiProblem(gateway, answer);
  return read(closeAnswer, answer, gateway);
};

const callPage = page(call);

/** All calls of a session, oldest first, at most `limit` (a session may have millions). */
export const listCalls = async (gateway: Gateway, bearer: string, wanted: { session: string; limit: number }) => {
  const calls: CallJson[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "200", ...(cursor === null ? {} : { cursor }) });
    const path = `/v1/sessions/${encodeURIComponent(wanted.session)}/calls?${query.toString()}`;
    const answer = await reach(gateway, { method: "GET", path, headers: authorized(bearer) });
    if (answer.status !== 200) throw apiProblem(gateway, answer);
    const found = read(callPage, answer, gateway);
    calls.push(...found.items);
    cursor = found.next_cursor;
  } while (cursor !== null && calls.length < wanted.limit);
  return calls.slice(0, wanted.limit).toSorted((a, b) => a.n - b.n);
};

export type ApprovalQuestion = {
  readonly id: string;
  /** Seconds, at most 25, for which the gateway may keep the question until there is something new. */
  readonly wait: number;
  readonly signal?: AbortSignal;
};

/** One approval of the token's own session. */
export const askApproval = async (
  gateway: Gateway,
  bearer: string,
  { id, wait, signal }: ApprovalQuestion,
): Promise<ApprovalJson> => {
  const path = `/v1/approvals/${encodeURIComponent(id)}?wait=${wait}`;
  const headers = authorized(bearer);
  const answer = await reach(gateway, { method: "GET", path, headers, ...(signal ? { signal } : {}) });
  if (answer.status !== 200) throw apiProblem(gateway, answer);
  const found = read(approval, answer, gateway);
  if (found.id === id) return found;
  const message = `${gateway.url.origin} answered for another approval than it was asked about`;
  throw new GatewayProblem("answer_unreadable", message, { unavailable: false });
};

const asked = { accept: "application/json", "user-agent": "dogwatch-action" };
const authorized = (bearer: string) => ({ ...asked, authorization: `Bearer ${bearer}` });

type Reach = {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
};

const reach = async (gateway: Gateway, { path, ...question }: Reach): Promise<Answer> => {
  const answer = await ask(gateway.network, { ...question, url: below(gateway.url, path) }).catch((error: Error) => {
    const message = `the gateway ${gateway.url.origin} cannot be reached (${reasonOf(error)}): check gateway-url, and that the gateway is up and reachable from this runner`;
    throw new GatewayProblem("unreachable", message, { unavailable: true, cause: error });
  });
  if (answer.status < 500 && answer.status !== 429) return answer;
  const said = tokenError.safeParse(parseJson(answer.text));
  const why = said.success ? `: ${said.data.error_description}` : "";
  const message = `the gateway ${gateway.url.origin} cannot serve now (HTTP ${answer.status}${why}): try again, or look at its /readyz`;
  throw new GatewayProblem("unavailable", oneLine(message), { unavailable: true });
};

const read = <T>(schema: z.ZodType<T>, answer: Answer, gateway: Gateway): T => {
  const parsed = schema.safeParse(parseJson(answer.text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") || "the whole answer";
  const message = `the answer of ${gateway.url.origin} is not a Dogwatch gateway's (at ${where}): check gateway-url`;
  throw new GatewayProblem("answer_unreadable", message, { unavailable: false });
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What a workflow's author can do about each refusal (codes of DESIGN: "Getting a session"). */
const advice = (code: string, wanted: Wanted): string => {
  switch (code) {
    case "audience_mismatch":
      return `this job asked for audience ${wanted.audience}: set the input \`audience\` to the issuer's \`audience\` in dogwatch.yaml`;
    case "issuer_unknown":
      return "add the issuer to identity.issuers in dogwatch.yaml";
    case "caller_not_allowed":
      return "the issuer's `allow` in dogwatch.yaml does not admit this job";
    case "connection_not_allowed":
      return `set the input \`connection\`${wanted.connection ? ` (now ${wanted.connection})` : ""} to a connection of dogwatch.yaml that this job may use`;
    case "event_refused":
      return "run on another event, or list this one in the issuer's `events` in dogwatch.yaml";
    case "token_expired":
    case "token_early":
      return "compare the clocks of the gateway and the runner";
    default:
      return "see the gateway's audit log";
  }
};

const exchangeProblem = (gateway: Gateway, answer: Answer, wanted: Wanted): GatewayProblem => {
  const parsed = tokenError.safeParse(parseJson(answer.text));
  if (!parsed.success) {
    const message = `${gateway.url.origin} answered HTTP ${answer.status} to the token exchange, and not as a Dogwatch gateway does: check gateway-url`;
    return new GatewayProblem("answer_unreadable", message, { unavailable: false });
  }
  const { code, error_description } = parsed.data;
  const message = `the gateway refused this job (${code}): ${error_description}. What to do: ${advice(code, wanted)}`;
  return new GatewayProblem(code, oneLine(message), { unavailable: false });
};

const apiProblem = (gateway: Gateway, answer: Answer): GatewayProblem => {
  const parsed = apiError.safeParse(parseJson(answer.text));
  const said = parsed.success ? parsed.data.errors.join("; ") : `HTTP ${answer.status}`;
  const code = String(answer.headers["dogwatch-error"] ?? "refused");
  return new GatewayProblem(code, oneLine(`${gateway.url.origin}: ${said}`), { unavailable: false });
};

const oneLine = (text: string): string => text.replace(/\s+/g, " ").slice(0, 2_000);

/** One line for whoever reads the log, whatever went wrong. */
export const explain = (error: unknown): string =>
  error instanceof GatewayProblem || error instanceof IdentityProblem || error instanceof ProxyProblem
    ? error.message
    : `Dogwatch itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
