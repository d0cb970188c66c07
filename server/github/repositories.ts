/** Asks about one repository by its id: with its own token, under the name that it has now. */

import { z } from "zod";
import { GitHubFailure, type Repository, type RepositoryRef } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { type Access, type Installations, NotCovered, type Purpose, isRedirect } from "./installations.ts";
import { read, refusal } from "./refusal.ts";
import type { Answer, Ask, Send } from "./send.ts";
import { digits } from "./shapes.ts";

/** `{owner}`, `{repo}` and `{org}` of the route are filled in. `needs`: the permission it is refused without. */
export type RepositoryAsk = Omit<Ask, "parameters"> & {
  readonly parameters?: Ask["parameters"];
  readonly needs: string;
  readonly purpose?: Purpose;
};

const described = z.object({
  id: digits,
  full_name: z.string(),
  html_url: z.string(),
  owner: z.object({ login: z.string() }),
});

/** Most repositories whose description is remembered. */
const most = 1_000;

export class Repositories {
  readonly #installations: Installations;
  readonly #send: Send;
  /** By id: what `GET` on the name said last, so that asking again costs nothing. */
  readonly #known = new Map<string, { readonly name: string; readonly etag: string }>();

  constructor({ installations, send }: { readonly installations: Installations; readonly send: Send }) {
    this.#installations = installations;
    this.#send = send;
  }

  /** Any answer below 500; refusals are for whoever asked to judge. A renamed repository is asked under its new name. */
  async ask(of: RepositoryRef, ask: RepositoryAsk): Promise<Answer> {
    const access = await this.#installations.access(of, ask.purpose);
    const answer = await this.#sendTo(access, ask);
    if (answer.status === 401) return this.#askAnew(of, { access, ask });
    if (![403, 404].includes(answer.status) && !isRedirect(answer)) return answer;
    // Nothing was done. Perhaps the name is another repository's by now, or nobody's.
    if (await this.#isNamed(of, access)) return answer;
    await this.#installations.forgetName(of, access);
    const renamed = await this.#installations.access(of, ask.purpose);
    return nameOf(renamed) === nameOf(access) ? answer : this.#sendTo(renamed, ask);
  }

  /** Parsed; null for GitHub's 404. */
  async get<Shape extends z.ZodType>(
    of: RepositoryRef,
    shape: Shape,
    ask: RepositoryAsk,
  ): Promise<z.output<Shape> | null> {
    const answer = await this.ask(of, ask);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refusal(answer, complete(ask), ask.needs);
    return read(shape, answer, complete(ask));
  }

  /** Parsed; everything but a success is refused. */
  async put<Shape extends z.ZodType>(of: RepositoryRef, shape: Shape, ask: RepositoryAsk): Promise<z.output<Shape>> {
    const answer = await this.ask(of, ask);
    if (answer.status !== 200 && answer.status !== 201) throw refusal(answer, complete(ask), ask.needs);
    return read(shape, answer, complete(ask));
  }

  async repository(of: RepositoryRef): Promise<Repository | null> {
    try {
      const access = await this.#installations.access(of);
      const found = await this.#describe(of, access);
      if (found !== null) return found;
      await this.#installations.forgetName(of, access);
      return await this.#describe(of, await this.#installations.access(of));
    } catch (error) {
      if (error instanceof NotCovered) return null;
      throw error;
    }
  }

  /**
   * What was found out by the name while it was this repository's: asked together with whose name it is, and once more under a new one.
   *
   * @throws GitHubFailure `unreachable` when the name is not this repository's even then
   */
  async named<Found>(of: RepositoryRef, ask: () => Promise<Found>): Promise<Found> {
    for (let tries = 0; tries < 2; tries += 1) {
      const access = await this.#installations.access(of);
      const [found, isNamed] = await Promise.all([ask(), this.#isNamed(of, access)]);
      if (isNamed) return found;
      await this.#installations.forgetName(of, access);
    }
    throw new GitHubFailure("unreachable", `${quote(of.repository)} is called something else now: ask again`);
  }

  /** After a token was not accepted. A read gets another one; whoever creates something decides whether to ask again. */
  async #askAnew(
    of: RepositoryRef,
    { access, ask }: { readonly access: Access; readonly ask: RepositoryAsk },
  ): Promise<Answer> {
    await this.#installations.forget(of, access);
    if (ask.kind !== "read")
      throw new GitHubFailure(
        "unreachable",
        `GitHub does not accept the installation's token any more: could not ${ask.doing}; the next try gets a new one`,
      );
    return this.#sendTo(await this.#installations.access(of, ask.purpose), ask);
  }

  #sendTo(access: Access, { needs: _needs, purpose: _purpose, ...ask }: RepositoryAsk): Promise<Answer> {
    const names: Readonly<Record<string, string>> = { owner: access.owner, repo: access.repo, org: access.owner };
    const inRoute = Object.entries(names).filter(([name]) => ask.route.includes(`{${name}}`));
    return this.#send({ ...ask, parameters: { ...Object.fromEntries(inRoute), ...ask.parameters } }, access);
  }

  async #describe(of: RepositoryRef, access: Access): Promise<Repository | null> {
    const ask = describing(access);
    const answer = await this.#sendTo(access, ask);
    if (answer.status === 404 || isRedirect(answer)) return null;
    if (answer.status !== 200) throw refusal(answer, complete(ask), ask.needs);
    const { id, full_name, html_url, owner } = read(described, answer, complete(ask));
    if (id !== of.repository_id) return null;
    return { repository_id: id, repository: full_name, owner: owner.login, url: html_url };
  }

  /** Whether the name is this repository's now. Costs none of the rate limit while nothing about it changes. */
  async #isNamed(of: RepositoryRef, access: Access): Promise<boolean> {
    const known = this.#known.get(of.repository_id);
    const name = nameOf(access);
    const answer = await this.#sendTo(access, {
      ...describing(access),
      etag: known?.name === name ? known.etag : null,
    });
    if (answer.status === 304) return true;
    if (answer.status !== 200) return false;
    const { id } = read(described, answer, complete(describing(access)));
    const { etag } = answer.headers;
    if (id === of.repository_id && etag !== undefined) this.#remember(id, { name, etag });
    return id === of.repository_id;
  }

  #remember(id: string, known: { readonly name: string; readonly etag: string }): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > most && oldest !== undefined) this.#known.delete(oldest);
  }
}

const nameOf = ({ owner, repo }: Access): string => `${owner}/${repo}`;

const describing = (access: Access): RepositoryAsk => ({
  kind: "read",
  route: "GET /repos/{owner}/{repo}",
  doing: `look up ${quote(nameOf(access))}`,
  needs: "metadata: read",
});

/** For messages and parsers, which look at what was asked, not where. */
const complete = (ask: RepositoryAsk): Ask => ({ ...ask, parameters: ask.parameters ?? {} });
