/** GitHub Apps, where they are installed, and the tokens that their installations get. */

import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { forTeams, forWork } from "../../github/permissions.ts";
import type { Accounts } from "./accounts.ts";
import type { Announce } from "./happenings.ts";
import type { Ids } from "./ids.ts";
import type { App, Installation, Permissions, Repository } from "./state.ts";

export type NewApp = {
  readonly owner: string;
  readonly name?: string;
  /** Default: exactly those that Dogwatch asks for. */
  readonly permissions?: Permissions;
  readonly events?: readonly string[];
  readonly webhook_url?: string;
  readonly callback_urls?: readonly string[];
  readonly external_url?: string;
  readonly setup_url?: string;
  readonly id?: number;
  readonly webhook_secret?: string;
};

export type NewInstallation = {
  readonly account: string;
  /** Default: all of the account's, later ones too. */
  readonly repositories?: readonly Repository[];
  /** Default: what the App asks for. */
  readonly permissions?: Permissions;
};

export type InstallationToken = {
  readonly installation: Installation;
  /** Null: all of the installation's. */
  readonly repositories: ReadonlySet<number> | null;
  readonly permissions: Permissions;
  readonly expires_at: Date;
};

/** What Dogwatch's App asks for, `members` for rules that name teams. */
const dogwatchPermissions: Permissions = { ...forWork({ issues: false }), ...forTeams };

const dogwatchEvents: readonly string[] = ["pull_request_review_comment", "issue_comment", "check_run", "pull_request"];

const tokenLife = 3_600_000;

const makeKeys = promisify(generateKeyPair);

export type AppParts = {
  readonly ids: Ids;
  readonly accounts: Accounts;
  readonly clock: () => Date;
  readonly announce: Announce;
};

export class Apps {
  readonly #parts: AppParts;
  readonly #apps: App[] = [];
  readonly #installations: Installation[] = [];
  readonly #tokens = new Map<string, InstallationToken>();
  /** GitHub's own, which acts for jobs; nobody has its key. */
  readonly actions: App;

  private constructor(parts: AppParts, actions: App) {
    this.#parts = parts;
    this.actions = actions;
  }

  static create(parts: AppParts): Apps {
    parts.accounts.add("github", { id: 9919, type: "Organization" });
    const bot = parts.accounts.add("github-actions[bot]", { id: 41_898_282, type: "Bot" });
    const app = { owner: "github", name: "GitHub Actions", id: 15_368 };
    return new Apps(parts, makeApp(parts, app, { bot, pem: "", public_key: null }));
  }

  /** As if somebody had made it by hand; the manifest flow ends here too. */
  async register(app: NewApp): Promise<App> {
    const { accounts } = this.#parts;
    if (accounts.find(app.owner) === null) accounts.add(app.owner, { type: "Organization" });
    const slug = slugOf(app.name ?? "Dogwatch");
    if (this.find(slug) !== null) throw new Error(`there is an App ${slug} already`);
    const { privateKey, publicKey } = await makeKeys("rsa", { modulusLength: 2048 });
    const made = makeApp(this.#parts, app, {
      bot: accounts.add(`${slug}[bot]`, { type: "Bot" }),
      pem: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
      public_key: publicKey,
    });
    this.#apps.push(made);
    return made;
  }

  install(app: App, { account, repositories, permissions = app.permissions }: NewInstallation): Installation {
    const { ids, accounts, clock, announce } = this.#parts;
    const installation: Installation = {
      id: ids.next("installation"),
      app,
      account: accounts.named(account),
      repositories: repositories === undefined ? null : new Set(repositories.map(({ id }) => id)),
      permissions,
      suspended_at: null,
      created_at: clock(),
    };
    this.#installations.push(installation);
    announce(
      { event: "installation", action: "created", installation },
      { sender: installation.account, repository: null },
    );
    return installation;
  }

  uninstall(installation: Installation): void {
    this.#tellOf(installation, "deleted");
    this.#installations.splice(this.#installations.indexOf(installation), 1);
    for (const [token, { installation: of }] of this.#tokens) if (of === installation) this.#tokens.delete(token);
  }

  /** Its tokens are refused from now on. */
  suspend(installation: Installation): void {
    installation.suspended_at = this.#parts.clock();
    this.#tellOf(installation, "suspend");
  }

  /** @throws Error when there is none */
  named(slug: string): App {
    const app = this.find(slug);
    if (app === null) throw new Error(`there is no App ${slug}`);
    return app;
  }

  find(slug: string): App | null {
    return this.#apps.find((app) => app.slug === slug) ?? null;
  }

  /** By its number or its client id, as the `iss` of its tokens may be. */
  identified(by: string): App | null {
    return this.#apps.find(({ id, client_id }) => String(id) === by || client_id === by) ?? null;
  }

  installations(app: App): readonly Installation[] {
    return this.#installations.filter((installation) => installation.app === app);
  }

  /** Every App that is installed on the repository. */
  on(repository: Repository): readonly Installation[] {
    return this.#installations.filter((installation) => covers(installation, repository));
  }

  /** A token for all that the installation may, or for less. */
  token(
    installation: Installation,
    less: Partial<Pick<InstallationToken, "repositories" | "permissions">> = {},
  ): string {
    const token = `ghs_${randomBytes(27).toString("base64url")}`;
    this.#tokens.set(token, {
      installation,
      repositories: less.repositories ?? null,
      permissions: less.permissions ?? installation.permissions,
      expires_at: new Date(this.#parts.clock().getTime() + tokenLife),
    });
    return token;
  }

  /** Null too when it has expired, or its installation is gone or suspended. */
  byToken(token: string): InstallationToken | null {
    const known = this.#tokens.get(token);
    if (known === undefined || known.expires_at <= this.#parts.clock()) return null;
    return known.installation.suspended_at === null ? known : null;
  }

  #tellOf(installation: Installation, action: "deleted" | "suspend"): void {
    this.#parts.announce(
      { event: "installation", action, installation },
      { sender: installation.account, repository: null },
    );
  }
}

export const covers = ({ account, repositories }: Installation, repository: Repository): boolean =>
  repository.owner.id === account.id && (repositories === null || repositories.has(repository.id));

const slugOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

type Keys = Pick<App, "bot" | "pem" | "public_key">;

function makeApp({ ids, accounts, clock }: AppParts, app: NewApp, keys: Keys): App {
  const { name = "Dogwatch" } = app;
  return {
    id: app.id ?? ids.next("app"),
    slug: slugOf(name),
    name,
    owner: accounts.named(app.owner),
    ...keys,
    client_id: `Iv23li${randomBytes(10).toString("hex").slice(0, 14)}`,
    client_secret: randomBytes(20).toString("hex"),
    webhook_secret: app.webhook_secret ?? randomBytes(20).toString("hex"),
    permissions: app.permissions ?? dogwatchPermissions,
    events: app.events ?? dogwatchEvents,
    external_url: app.external_url ?? "https://dogwatch.example.com",
    callback_urls: app.callback_urls ?? [],
    setup_url: app.setup_url ?? null,
    webhook_url: app.webhook_url ?? null,
    created_at: clock(),
  };
}
