/** What the sandbox organization keeps: one type for each kind of document, in the shape in which Datadog answers it. */

import type { JsonObject } from "./json.ts";

export type Person = {
  readonly uuid: string;
  /** The v1 API's number for the same person. */
  readonly id: number;
  readonly name: string | null;
  readonly handle: string;
  readonly email: string;
  readonly title: string | null;
  readonly created: Date;
  readonly modified: Date;
  readonly verified: boolean;
  readonly disabled: boolean;
  readonly service_account: boolean;
  /** Ids of roles. */
  readonly roles: readonly string[];
};

export type Role = {
  readonly id: string;
  readonly name: string;
  readonly created: Date;
  readonly modified: Date;
  /** Ids of permissions. */
  readonly permissions: readonly string[];
};

export type Team = {
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  readonly description: string | null;
  readonly avatar: string | null;
  readonly banner: number | null;
  readonly hidden_modules: readonly string[] | null;
  readonly visible_modules: readonly string[] | null;
  readonly created: Date;
  readonly modified: Date;
};

export type Membership = {
  /** Ids of the team and of the person, and the person's number. */
  readonly team: string;
  readonly user: string;
  readonly number: number;
  /** Who put them there. */
  readonly by: string;
  readonly role: "admin" | null;
};

export type TeamLink = {
  readonly id: string;
  readonly team: string;
  readonly label: string;
  readonly url: string;
  readonly position: number;
};

export type Monitor = JsonObject & {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly message: string;
  readonly tags: readonly string[];
  readonly options: JsonObject;
  readonly overall_state: string;
};

export type Dashboard = JsonObject & { readonly id: string; readonly title: string };

/** A link by which people without an account see a dashboard; its token is the key to it. */
export type SharedDashboard = JsonObject & { readonly token: string; readonly dashboard_id: string };

export type DashboardItem = { readonly type: string; readonly id: string };

export type DashboardList = {
  readonly id: number;
  readonly name: string;
  readonly created: Date;
  readonly modified: Date;
  readonly items: readonly DashboardItem[];
};

/** The v1 and the v2 API show the same downtimes, each under its own id and shape. */
export type Downtime = {
  readonly id: number;
  readonly uuid: string;
  /** v2 writes `env:prod AND host:a`, v1 a list. */
  readonly scope: string;
  readonly monitor: { readonly id: number } | { readonly tags: readonly string[] };
  readonly message: string | null;
  readonly start: Date;
  readonly end: Date | null;
  readonly timezone: string;
  readonly created: Date;
  readonly modified: Date;
  readonly canceled: Date | null;
  readonly recurrence: JsonObject | null;
  readonly mute_first_recovery_notification: boolean;
  readonly notify_end_states: readonly string[];
  readonly notify_end_types: readonly string[];
};

export type Slo = JsonObject & {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly tags: readonly string[];
  readonly monitor_ids?: readonly number[];
  readonly thresholds: readonly (JsonObject & { readonly timeframe: string })[];
};

export type Correction = { readonly id: string; readonly attributes: JsonObject };

export type Happening = {
  readonly id: bigint;
  readonly uid: string;
  readonly at: Date;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  readonly host: string | null;
  readonly priority: string;
  readonly alert_type: string;
  readonly source: string;
  readonly aggregation_key: string | null;
  /** What a v2 event carries beyond that. */
  readonly attributes: JsonObject;
};

export type MetricKind = "gauge" | "count" | "rate" | "distribution";

export type Point = {
  readonly metric: string;
  /** With `host:NAME` among them when a host was named. */
  readonly tags: readonly string[];
  readonly at: Date;
  readonly value: number;
};

export type MetricMetadata = {
  readonly type: MetricKind | null;
  readonly description: string | null;
  readonly short_name: string | null;
  readonly unit: string | null;
  readonly per_unit: string | null;
  readonly statsd_interval: number | null;
  readonly integration: string | null;
};

export type ServiceCheck = {
  readonly check: string;
  readonly host: string;
  readonly status: number;
  readonly tags: readonly string[];
  readonly at: Date;
};

export type LogEntry = {
  readonly id: string;
  readonly at: Date;
  readonly message: string;
  readonly status: string;
  readonly service: string | null;
  readonly host: string | null;
  readonly source: string | null;
  readonly tags: readonly string[];
  readonly attributes: JsonObject;
};

export type Key = {
  readonly id: string;
  /** The secret itself; answered once, when the key is made. */
  readonly key: string;
  readonly name: string;
  readonly created: Date;
  readonly modified: Date;
  readonly scopes: readonly string[] | null;
  /** The person's id. */
  readonly owner: string;
};

export type Notebook = { readonly id: number; readonly attributes: JsonObject };

export type Incident = {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly created: Date;
  readonly modified: Date;
  readonly resolved: Date | null;
  /** What else was told of it. */
  readonly told: JsonObject;
  readonly fields: { readonly [name: string]: JsonObject | undefined };
};

export type Case = {
  readonly id: string;
  /** `CASE-12345` */
  readonly key: string;
  readonly project: string;
  readonly created: Date;
  readonly modified: Date | null;
  readonly attributes: JsonObject;
};

export type SyntheticsTest = JsonObject & {
  readonly public_id: string;
  readonly name: string;
  readonly type: string;
  readonly status: "live" | "paused";
  readonly locations: readonly string[];
};

/** With its value, which is not answered when it is secure. */
export type SyntheticsVariable = { readonly id: string; readonly told: JsonObject };

export type Webhook = JsonObject & { readonly name: string };

export type WebhookVariable = { readonly name: string; readonly value: string; readonly is_secret: boolean };

/** Which tags of a metric are indexed. */
export type TagConfiguration = { readonly id: string; readonly attributes: JsonObject };
