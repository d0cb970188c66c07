/** Which session the tokens of a request stand for; answers from memory until the session closes or the answer grows old. */

import { refuse, type Refusal } from "../../errors.ts";
import type { SessionGrant, SessionState } from "../../model/session.ts";
import { digestOf, digestTextOf, sessionTokenPattern } from "./sessionToken.ts";

export type FoundGrant = SessionGrant & { readonly state: SessionState };

/** The part of the store that is asked. */
export type GrantSource = {
  /** By SHA-256 of the token; null when no session has it. */
  findByToken(digest: Buffer): Promise<FoundGrant | null>;
  /** Calls back with every session that stops being open, whichever replica closed it. */
  onClosed(callback: (session_id: string) => void): unknown;
};

export type Presenter = {
  /** For the data plane: the session must be open. */
  present(tokens: readonly string[]): Promise<SessionGrant | Refusal>;
  /** For reading about a session and closing it, which goes on after it has ended until its token expires. */
  presentEnded(tokens: readonly string[]): Promise<FoundGrant | Refusal>;
};

/** How long a closed session might pass for open if the word of its closing were lost, ms. Its calls are refused by the store even then. */
const trustFor = 30_000;
const mostRemembered = 10_000;

/** `session_id` is null while the question is under way. */
type Remembered = { readonly found: Promise<FoundGrant | null>; readonly at: number; session_id: string | null };

export const createPresenter = (source: GrantSource, clock: () => Date): Presenter => {
  const remembered = new Map<string, Remembered>();

  source.onClosed((closed) => {
    // What is still being looked up may have been read before the session closed: those who wait for it get it, nobody else.
    for (const [digest, { session_id }] of remembered)
      if (session_id === closed || session_id === null) remembered.delete(digest);
  });

  const ask = async (name: string): Promise<FoundGrant | null> => {
    const entry: Remembered = {
      found: source.findByToken(Buffer.from(name, "base64")),
      at: clock().getTime(),
      session_id: null,
    };
    remembered.delete(name);
    remembered.set(name, entry);
    forgetOldest(remembered);
    const found = await entry.found.catch((error: unknown) => {
      if (remembered.get(name) === entry) remembered.delete(name);
      throw error;
    });
    if (found?.state === "open") entry.session_id = found.session_id;
    else if (remembered.get(name) === entry) remembered.delete(name);
    return found;
  };

  const find = (token: string): Promise<FoundGrant | null> => {
    const name = digestTextOf(token);
    const known = remembered.get(name);
    // Many calls of one session start at once: they share the one question.
    const young = known !== undefined && Math.abs(clock().getTime() - known.at) < trustFor;
    return young ? known.found : ask(name);
  };

  const presentEnded = async (tokens: readonly string[]): Promise<FoundGrant | Refusal> => {
    const token = onlyToken(tokens);
    if (typeof token !== "string") return token;
    const found = await find(token);
    if (found === null) return refuse("token_invalid", `no session has the token ${nameOf(token)}`);
    if (found.expires_at.getTime() <= clock().getTime())
      return refuse(
        "token_expired",
        `the session token expired at ${found.expires_at.toISOString()}; renew it at POST /v1/token before it does`,
      );
    return found;
  };

  const present = async (tokens: readonly string[]): Promise<SessionGrant | Refusal> => {
    const found = await presentEnded(tokens);
    if ("code" in found || found.state === "open") return found;
    return refuse("session_closed", `session ${found.session_id} is ${found.state}; open a new one at POST /v1/token`);
  };

  return { present, presentEnded };
};

const onlyToken = (tokens: readonly string[]): string | Refusal => {
  const [token, another] = [...new Set(tokens)];
  if (token === undefined)
    return refuse(
      "token_missing",
      "no session token; send the access_token of POST /v1/token as DD-API-KEY or Authorization: Bearer",
    );
  if (another !== undefined)
    return refuse("token_invalid", `two different tokens were sent, ${nameOf(token)} and ${nameOf(another)}; send one`);
  if (!sessionTokenPattern.test(token))
    return refuse(
      "token_invalid",
      `${nameOf(token)} is not a session token (dws_…): a real Datadog key is never needed here`,
    );
  return token;
};

/** A secret is named by the beginning of its digest. */
const nameOf = (token: string): string => `sha256:${digestOf(token).toString("hex").slice(0, 12)}`;

const forgetOldest = (remembered: Map<string, Remembered>): void => {
  const oldest = remembered.keys().next();
  if (remembered.size > mostRemembered && !oldest.done) remembered.delete(oldest.value);
};
