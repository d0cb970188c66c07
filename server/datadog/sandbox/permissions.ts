/** Datadog's permissions: the same ones, with the same ids, in every organization of a site. As its API listed them in April 2024. */

import listed from "./permissions.json" with { type: "json" };

export type Permission = {
  readonly id: string;
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly created: string;
  readonly group_name: string;
  readonly display_type: string;
  /** Every role has it, and none can give it up. */
  readonly restricted: boolean;
};

export const permissions: readonly Permission[] = listed;
