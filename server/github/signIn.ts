/**
 * Signs people in with GitHub, through the App's web application flow: the token that GitHub gives is used to ask whose it is, and forgotten.
 *
 * @see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */

import { z } from "zod";
import type { Secret } from "../model/connection.ts";
import { GitHubFailure } from "../model/github.ts";
import { type Identity, SignInFailure } from "../model/person.ts";
import { quote } from "../model/quote.ts";
import { webAddress } from "./web.ts";

export type SignInOptions = {
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly fetch: typeof fetch;
};

/** Where the browser comes back to; GitHub compares it with the App's callback URLs. */
type Back = { readonly redirect: string };

/** ms: somebody waits before a page. */
const patience = 10_000;
const largestAnswer = 256 * 1024;

const token = z.object({ access_token: z.string().min(1), token_type: z.string().regex(/^bearer$/i) });
const refused = z.object({ error: z.string() });
const user = z.object({
  id: z.int().positive(),
  login: z.string().regex(/^[\w-]{1,100}$/),
  type: z.string(),
});

export class GitHubSignIn {
  readonly issuer: string;
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.issuer = webAddress(options.apiUrl);
    this.#options = options;
  }

  /** `challenge`: RFC 7636, S256. Servers that are older than it ignore it; `state` holds everywhere. */
  authorizeUrl({ state, challenge, redirect }: Back & { readonly state: string; readonly challenge: string }): string {
    const url = new URL(`${this.issuer}/login/oauth/authorize`);
    url.search = new URLSearchParams({
      client_id: this.#options.clientId,
      redirect_uri: redirect,
      state,
      code_challenge: challenge,
      code_challenge_method: "S256",
      allow_signup: "false",
    }).toString();
    return url.href;
  }

  /** Who agreed on GitHub's page; `query`: what stands in the address that the browser came back to. @throws GitHubFailure, SignInFailure */
  async identify({
    query,
    verifier,
    redirect,
  }: Back & Readonly<Record<"query" | "verifier", string>>): Promise<Identity> {
    const { id, login, type } = await this.#whose(await this.#exchange({ code: codeIn(query), verifier, redirect }));
    if (type !== "User")
      throw new GitHubFailure("refused", `only a person signs in, and ${quote(login)} is a ${quote(type)}`);
    return { provider: "github", issuer: this.issuer, subject: String(id), login, groups: [] };
  }

  async #exchange({
    code,
    verifier,
    redirect,
  }: Back & { readonly code: string; readonly verifier: string }): Promise<string> {
    const { clientId, clientSecret } = this.#options;
    const answer = await this.#ask(`${this.issuer}/login/oauth/access_token`, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret.reveal(),
        code,
        redirect_uri: redirect,
        code_verifier: verifier,
      }),
    });
    const given = token.safeParse(answer.json);
    if (given.success) return given.data.access_token;
    // GitHub says no with status 200.
    const no = refused.safeParse(answer.json);
    if (no.success) throw new GitHubFailure("refused", explain(no.data.error, redirect));
    throw new GitHubFailure("unreachable", `GitHub answered ${answer.status} when it was asked who signs in`);
  }

  async #whose(access_token: string): Promise<z.output<typeof user>> {
    const answer = await this.#ask(`${this.#options.apiUrl}/user`, {
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${access_token}`,
        "user-agent": "dogwatch",
        "x-github-api-version": "2022-11-28",
      },
    });
    const found = user.safeParse(answer.json);
    if (answer.status === 200 && found.success) return found.data;
    throw new GitHubFailure("unreachable", `GitHub answered ${answer.status} when it was asked who signs in`);
  }

  async #ask(url: string, init: RequestInit): Promise<{ readonly status: number; readonly json: unknown }> {
    try {
      // A redirect would take the secret or the token somewhere else.
      const response = await this.#options.fetch(url, {
        ...init,
        redirect: "error",
        signal: AbortSignal.timeout(patience),
      });
      return { status: response.status, json: jsonIn(await bounded(response)) };
    } catch {
      throw new GitHubFailure("unreachable", `${new URL(url).origin} could not be reached`);
    }
  }
}

function codeIn(query: string): string {
  const answer = new URLSearchParams(query);
  const [code, ...more] = answer.getAll("code");
  if (code !== undefined && more.length === 0 && code.length <= 200) return code;
  const error = answer.get("error");
  if (error === "access_denied") throw new SignInFailure("refused", "you did not agree on GitHub's page");
  throw new SignInFailure(
    "refused",
    error === null ? "GitHub sent no code back" : `GitHub sent no code back, but ${quote(error)}`,
  );
}

/** `error` as GitHub writes it: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors */
function explain(error: string, redirect: string): string {
  switch (error) {
    case "bad_verification_code":
      return "GitHub does not accept the code that the browser brought: it was used before, or is older than ten minutes";
    case "incorrect_client_credentials":
      return "GitHub does not accept this gateway: check github.clientId and github.clientSecret in dogwatch.yaml";
    case "redirect_uri_mismatch":
      return `GitHub does not know the address to come back to: add ${redirect} to the App's callback URLs`;
    case "unverified_user_email":
      return "GitHub lets nobody sign in whose e-mail address it has not verified: verify yours in GitHub's settings";
    default:
      return `GitHub said ${quote(error)}`;
  }
}

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > largestAnswer) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
