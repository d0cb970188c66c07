/** Whether an account is in a team of an organization, asked by the organization's installation: no repository says so. */

import { z } from "zod";
import { GitHubFailure } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { App } from "./app.ts";
import { listPages } from "./pages.ts";
import { forTeams, granted, lacking } from "./permissions.ts";
import { read, refusal } from "./refusal.ts";
import type { Answer, Ask, Credentials, Send } from "./send.ts";
import { digits, id } from "./shapes.ts";

/** A token is not used in its last minutes: a request takes time, and clocks differ. */
const margin = 5 * 60_000;
/** Of a hundred installations each. */
const mostPages = 10;

const installation = z.object({
  id: digits,
  account: z.object({ login: z.string() }).nullish(),
  permissions: granted,
  suspended_at: z.string().nullish(),
});
const minted = z.object({ token: z.string().min(1), expires_at: z.string().transform((text) => new Date(text)) });
const account = z.object({ id, login: z.string(), type: z.string() });
const membership = z.object({ state: z.string() });

type Access = Credentials & { readonly expires_at: Date };

export type TeamParts = { readonly app: App; readonly send: Send; clock(): Date };

/** Logins change hands: whoever is called so must still have this number. */
export type Member = { readonly login: string; readonly account_id: number };

export class Teams {
  readonly #parts: TeamParts;
  /** By organization. */
  readonly #accesses = new Map<string, Promise<Access>>();

  constructor(parts: TeamParts) {
    this.#parts = parts;
  }

  /** `team`: `acme/platform-leads`. Whoever was invited and has not accepted is no member. @throws GitHubFailure */
  async isMember(team: string, { login, account_id }: Member): Promise<boolean> {
    const [org = "", team_slug = ""] = team.split("/");
    if (!/^[\w-]{1,100}$/.test(login)) return false;
    const found = await this.#get(org, account, {
      kind: "read",
      route: "GET /users/{username}",
      parameters: { username: login },
      doing: `look up the account ${quote(login)}`,
    });
    if (found === null || found.id !== account_id || found.type !== "User") return false;
    const member = await this.#get(org, membership, {
      kind: "read",
      route: "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
      parameters: { org, team_slug, username: found.login },
      doing: `read whether ${quote(login)} is in the team ${quote(team)}`,
    });
    return member?.state === "active";
  }

  /** Null for GitHub's 404. */
  async #get<Shape extends z.ZodType>(org: string, shape: Shape, ask: Ask): Promise<z.output<Shape> | null> {
    const answer = await this.#sendAs(org, ask);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refusal(answer, ask, "members: read");
    return read(shape, answer, ask);
  }

  /** A token that is not accepted any more is made anew, once. */
  async #sendAs(org: string, ask: Ask): Promise<Answer> {
    const answer = await this.#parts.send(ask, await this.#access(org));
    if (answer.status !== 401) return answer;
    this.#accesses.delete(org);
    return this.#parts.send(ask, await this.#access(org));
  }

  async #access(org: string): Promise<Access> {
    const known = this.#accesses.get(org);
    if (known !== undefined && (await known).expires_at.getTime() - margin > this.#parts.clock().getTime())
      return known;
    const made = this.#make(org);
    this.#accesses.set(org, made);
    made.catch(() => {
      if (this.#accesses.get(org) === made) this.#accesses.delete(org);
    });
    return made;
  }

  async #make(org: string): Promise<Access> {
    const where = await this.#installation(org);
    if (where === undefined || where.suspended_at != null)
      throw new GitHubFailure("refused", `the App is not installed on ${quote(org)}, whose teams are asked about`);
    const [lack] = lacking(forTeams, where.permissions);
    if (lack !== undefined)
      throw new GitHubFailure("refused", `the App lacks ${lack} on ${quote(org)}, whose teams are asked about`);
    const ask: Ask = {
      kind: "change",
      route: "POST /app/installations/{installation_id}/access_tokens",
      parameters: { installation_id: where.id, permissions: forTeams },
      doing: `get a token for the teams of ${quote(org)}`,
    };
    const answer = await this.#parts.app.ask(ask);
    if (answer.status !== 201) throw refusal(answer, ask, null);
    return { ...read(minted, answer, ask), whose: `installation ${where.id}` };
  }

  async #installation(org: string): Promise<z.output<typeof installation> | undefined> {
    const isOn = ({ account: on }: z.output<typeof installation>): boolean =>
      on?.login.toLowerCase() === org.toLowerCase();
    const ask: Ask = {
      kind: "read",
      route: "GET /app/installations",
      parameters: {},
      doing: "list where the App is installed",
    };
    const { items } = await listPages({
      name: "page",
      most: mostPages,
      ask: (parameters) => this.#parts.app.ask({ ...ask, parameters }),
      read: (answer) => {
        if (answer.status !== 200) throw refusal(answer, ask, null);
        return read(z.array(installation), answer, ask);
      },
      enough: (page) => page.some(isOn),
    });
    return items.find(isOn);
  }
}
