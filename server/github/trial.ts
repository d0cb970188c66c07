/** Tries a GitHub App: who it is, where it is installed and what it may do there, and whether it can write a comment. */

import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Secret } from "../model/connection.ts";
import { GitHubFailure } from "../model/github.ts";
import { type AppInstallation, installAddress, type PullName, type Trial } from "../model/gitHubApp.ts";
import type { Log } from "../model/log.ts";
import { quote } from "../model/quote.ts";
import { App } from "./app.ts";
import { createGitHub } from "./client.ts";
import { Limits } from "./limits.ts";
import { granted, lacking } from "./permissions.ts";
import { permissionsOf } from "./manifest.ts";
import { read, refusal } from "./refusal.ts";
import { type Ask, createSend } from "./send.ts";
import { digits, repository } from "./shapes.ts";

export type TrialOptions = {
  readonly apiUrl: string;
  readonly appId: string;
  readonly privateKey: Secret;
  readonly issues: boolean;
  readonly teams: boolean;
  readonly log: Log;
  readonly clock: () => Date;
  readonly fetch: typeof fetch;
};

const installation = z.object({
  id: digits,
  account: z.object({ login: z.string() }).nullish(),
  html_url: z.string(),
  repository_selection: z.enum(["all", "selected"]).catch("selected"),
  permissions: granted,
  suspended_at: z.string().nullish(),
});
type Installation = z.output<typeof installation>;

const minted = z.object({ repositories: z.array(repository) });

const trying = "Dogwatch tries whether it can write here…";
const tried =
  "**Dogwatch can write here.** When a rule asks for a person, the question stands in a pull request like this one. This comment was a test; you may delete it.";

/** Every method throws `GitHubFailure` when GitHub cannot be asked, or does not accept the key. */
export class AppTrial {
  readonly #options: TrialOptions;
  readonly #app: App;

  constructor(options: TrialOptions) {
    this.#options = options;
    const { apiUrl, appId, privateKey, log, clock, fetch } = options;
    const send = createSend({
      apiUrl,
      log,
      fetch,
      limits: new Limits(clock),
      patience: 10_000,
      queue: randomUUID(),
    });
    this.#app = new App({ appId, privateKey, send });
  }

  /** Where people install it. */
  async installUrl(): Promise<string> {
    const ask: Ask = { kind: "read", route: "GET /app", parameters: {}, doing: "look up the App" };
    const answer = await this.#app.ask(ask);
    if (answer.status !== 200) throw refusal(answer, ask, null);
    return installAddress(read(z.object({ html_url: z.url() }), answer, ask).html_url);
  }

  /** Of every account. */
  async installations(): Promise<readonly AppInstallation[]> {
    const ask: Ask = {
      kind: "read",
      route: "GET /app/installations",
      parameters: { per_page: 100 },
      doing: "list where the App is installed",
    };
    const answer = await this.#app.ask(ask);
    if (answer.status !== 200) throw refusal(answer, ask, null);
    return read(z.array(installation), answer, ask).map((found) => this.#shown(found));
  }

  /** Writes a comment, reads it back, and changes it: what questions and their answers need. */
  async comment(pull: PullName): Promise<Trial> {
    const where = await this.#installedOn(pull);
    if (typeof where === "string") return { url: null, problems: [where] };
    const problems = this.#shown(where).lacking.map((permission) => lacks(permission, where));
    try {
      return { url: await this.#write(pull, where), problems };
    } catch (error) {
      if (!(error instanceof GitHubFailure)) throw error;
      return { url: null, problems: [...problems, error.message] };
    }
  }

  #shown({ account, html_url, repository_selection, permissions }: Installation): AppInstallation {
    return {
      account: account?.login ?? "unknown",
      url: html_url,
      repositories: repository_selection,
      lacking: lacking(permissionsOf(this.#options), permissions),
    };
  }

  /** One sentence when it is not. */
  async #installedOn({ owner, repo }: PullName): Promise<Installation | string> {
    const name = quote(`${owner}/${repo}`);
    const ask: Ask = {
      kind: "read",
      route: "GET /repos/{owner}/{repo}/installation",
      parameters: { owner, repo },
      doing: `find the App's installation on ${name}`,
    };
    const answer = await this.#app.ask(ask);
    if (answer.status === 404 || answer.status === 301)
      return `the App is not installed on ${name}: install it there, or add the repository to its installation: ${await this.installUrl()}`;
    if (answer.status !== 200) throw refusal(answer, ask, null);
    const found = read(installation, answer, ask);
    return found.suspended_at == null
      ? found
      : `the App's installation on ${name} is suspended: take it up again at ${quote(found.html_url)}`;
  }

  async #write(pull: PullName, where: Installation): Promise<string> {
    const of = { repository_id: await this.#idOf(pull, where), repository: `${pull.owner}/${pull.repo}` };
    const github = createGitHub(this.#options);
    const found = await github.pull(of, pull.number);
    if (found === null)
      throw new GitHubFailure("refused", `${pullText(pull)} is no pull request: name one that is open`);
    if (!found.open) throw new GitHubFailure("refused", `${pullText(pull)} is closed: name one that is open`);
    const place = await github.createComment(of, { number: pull.number, body: trying });
    const written = place.id === null ? null : await github.comment(of, "comment", place.id);
    if (written?.body !== trying)
      throw new GitHubFailure("refused", `the comment ${quote(place.url)} was written, and could not be read back`);
    await github.edit(of, place, tried);
    return place.url;
  }

  /** Of a repository that is known by its name alone: a token for it says its id. */
  async #idOf({ owner, repo }: PullName, { id }: Installation): Promise<string> {
    const ask: Ask = {
      kind: "change",
      route: "POST /app/installations/{installation_id}/access_tokens",
      parameters: { installation_id: id, repositories: [repo], permissions: { metadata: "read" } },
      doing: `get a token for ${quote(`${owner}/${repo}`)}`,
    };
    const answer = await this.#app.ask(ask);
    if (answer.status !== 201) throw refusal(answer, ask, null);
    const [only] = read(minted, answer, ask).repositories;
    if (only === undefined)
      throw new GitHubFailure("refused", `GitHub gives no token for ${quote(`${owner}/${repo}`)}`);
    return only.id;
  }
}

const lacks = (permission: string, { html_url }: Installation): string =>
  `the App lacks the permission ${permission} there: add it in the App's settings, then accept it at ${quote(html_url)}`;

const pullText = ({ owner, repo, number }: PullName): string => quote(`${owner}/${repo}#${number}`);
