/** GitHub Apps and their installations. */

import type { App, Installation, Permissions, Repository } from "./state.ts";

export type NewApp = {
  readonly owner: string;
  readonly name?: string;
  /** Default: exactly those that Dogwatch asks for. */
  readonly permissions?: Permissions;
  readonly events?: readonly string[];
  readonly webhook_url?: string;
  readonly callback_urls?: readonly string[];
};

export type Apps = {
  /** As if somebody had made it by hand; `/settings/apps/new` makes one from a manifest. */
  register(app: NewApp): Promise<App>;
  install(
    app: App,
    on: { readonly account: string; readonly repositories?: readonly Repository[]; readonly permissions?: Permissions },
  ): Installation;
  uninstall(installation: Installation): void;
  suspend(installation: Installation): void;
  /** @throws Error when there is none */
  named(slug: string): App;
  installations(app: App): readonly Installation[];
  /** A token as `POST /app/installations/{id}/access_tokens` gives it, for all that the installation may. */
  token(installation: Installation): string;
};
