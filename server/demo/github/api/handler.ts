/** What carries an operation out. */

import type { Visitors } from "../visitors.ts";
import type { Call, Reply, RepositoryCall } from "./reply.ts";

type Carry<C> = (call: C) => Reply | Promise<Reply>;

/** Operations with `:owner/:repo` in their path get the repository, which the caller may see. */
export type Handler =
  | { readonly about: "repository"; readonly carry: Carry<RepositoryCall> }
  | { readonly about: "anything"; readonly carry: Carry<Call & { readonly visitors: Visitors }> };

export const inRepository = (carry: Carry<RepositoryCall>): Handler => ({ about: "repository", carry });

export const anywhere = (carry: Carry<Call & { readonly visitors: Visitors }>): Handler => ({
  about: "anything",
  carry,
});
