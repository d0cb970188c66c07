/** People in their browsers: who they are, what they agree to, and the codes and tokens that come of it. */

import { createHash, randomBytes } from "node:crypto";
import type { NewApp } from "./apps.ts";
import type { Account, App } from "./state.ts";

export type Authorization = {
  readonly app: App;
  readonly account: Account;
  readonly redirect_uri: string;
  /** S256 of the verifier; null when the App sent none. */
  readonly challenge: string | null;
};

export type MadeApp = { readonly app: NewApp; readonly hasWebhook: boolean };

type Coded<T> = T & { readonly expires: number };

/** How long codes are good, ms. */
const codeLife = 600_000;
const manifestLife = 3_600_000;
const tokenLife = 8 * 3_600_000;

export class Visitors {
  readonly #clock: () => Date;
  readonly #codes = new Map<string, Coded<Authorization>>();
  readonly #manifests = new Map<string, Coded<MadeApp>>();
  readonly #tokens = new Map<string, Coded<{ readonly account: Account; readonly app: App }>>();
  #preset: string | null = null;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /**
   * Whoever comes to sign in, to make an App from a manifest or to install one is this user and agrees at once: no page is shown. Null: the
   * page is shown.
   */
  preset(login: string | null): void {
    this.#preset = login;
  }

  get presetLogin(): string | null {
    return this.#preset;
  }

  authorize(authorization: Authorization): string {
    const code = randomBytes(10).toString("hex");
    this.#codes.set(code, { ...authorization, expires: this.#in(codeLife) });
    return code;
  }

  /** Good once. */
  takeCode(code: string): Authorization | null {
    return this.#take(this.#codes, code);
  }

  /** A token of the App that acts in the account's name, `ghu_…`. */
  token(account: Account, app: App): { readonly token: string; readonly seconds: number } {
    const token = `ghu_${randomBytes(27).toString("base64url")}`;
    this.#tokens.set(token, { account, app, expires: this.#in(tokenLife) });
    return { token, seconds: tokenLife / 1_000 };
  }

  byToken(token: string): { readonly account: Account; readonly app: App } | null {
    const known = this.#tokens.get(token);
    return known === undefined || known.expires <= this.#in(0) ? null : { account: known.account, app: known.app };
  }

  manifest(made: MadeApp): string {
    const code = randomBytes(20).toString("hex");
    this.#manifests.set(code, { ...made, expires: this.#in(manifestLife) });
    return code;
  }

  /** Good once, for an hour. */
  takeManifest(code: string): MadeApp | null {
    return this.#take(this.#manifests, code);
  }

  #take<T>(codes: Map<string, Coded<T>>, code: string): T | null {
    const known = codes.get(code);
    codes.delete(code);
    return known === undefined || known.expires <= this.#in(0) ? null : known;
  }

  #in(ms: number): number {
    return this.#clock().getTime() + ms;
  }
}

/** Whether what the App kept fits what it showed. @see https://www.rfc-editor.org/rfc/rfc7636#section-4.6 */
export const fitsChallenge = ({ challenge }: Authorization, verifier: string | undefined): boolean =>
  challenge === null ||
  challenge ===
    createHash("sha256")
      .update(verifier ?? "")
      .digest("base64url");
