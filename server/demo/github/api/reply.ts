/** An answer of the API. */

import type { Account, App, Installation, Permissions, Repository, Run } from "../state.ts";
import type { World } from "../world.ts";

export type Reply = {
  readonly status: number;
  /** Left out: none. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Who asks, by the token. */
export type Caller =
  | { readonly kind: "nobody" }
  | { readonly kind: "app"; readonly app: App }
  | {
      readonly kind: "installation";
      readonly installation: Installation;
      /** Null: all of the installation's. */
      readonly repositories: ReadonlySet<number> | null;
      readonly permissions: Permissions;
    }
  | { readonly kind: "job"; readonly run: Run; readonly permissions: Permissions }
  /** An App in somebody's name. */
  | { readonly kind: "user"; readonly account: Account; readonly app: App };

/** One request, as far as the door has understood it. */
export type Call = {
  readonly world: World;
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
  /** The API's address of what was asked, without the query, for links to further pages. */
  readonly address: string;
};

/** A call about one repository, which the caller may see. */
export type RepositoryCall = Call & { readonly repository: Repository };

export const ok = (body: unknown): Reply => ({ status: 200, body });

const documentation_url = "https://docs.github.com/rest";

export const refusal = (status: number, message: string, headers?: Readonly<Record<string, string>>): Reply => ({
  status,
  body: { message, documentation_url, status: String(status) },
  ...(headers === undefined ? {} : { headers }),
});

export const notFound: Reply = refusal(404, "Not Found");

/** 422 in GitHub's shape. */
export const invalid = (
  resource: string,
  field: string,
  { code = "invalid", message }: { readonly code?: string; readonly message?: string } = {},
): Reply => ({
  status: 422,
  body: {
    message: "Validation Failed",
    errors: [{ resource, field, code, ...(message === undefined ? {} : { message }) }],
    documentation_url,
    status: "422",
  },
});
