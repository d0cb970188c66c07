/** Which Datadog operation a request is, as the catalogue names it. */

export const accessClasses = ["read", "write", "destructive", "submit", "unknown"] as const;

/** What an operation can do: look, change, destroy, send telemetry, or nobody knows. */
export type Access = (typeof accessClasses)[number];

export type Operation = {
  /** `v1.MonitorsApi.DeleteMonitor`; `unknown` when the catalogue does not know the route. */
  readonly id: string;
  /** `DeleteMonitor` */
  readonly name: string;
  /** `MonitorsApi` */
  readonly api: string;
  /** `v1`, `v2`, or `` for intake routes that have none. */
  readonly version: string;
  readonly access: Access;
  readonly method: string;
  /** Route template, `/api/v1/monitor/{monitor_id}`; the request's own path when unknown. */
  readonly path: string;
  readonly known: boolean;
  /** Path parameters by the template's names, percent-decoded once. */
  readonly params: Readonly<Record<string, string>>;
};
