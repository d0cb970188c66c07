/** The state of the sandbox: one Datadog organization, kept in memory from start to stop. */

import type {
  Correction,
  Dashboard,
  DashboardList,
  Downtime,
  Happening,
  Key,
  LogEntry,
  MetricMetadata,
  Monitor,
  Notebook,
  Permission,
  Person,
  Point,
  Role,
  ServiceCheck,
  SharedDashboard,
  Slo,
  TagConfiguration,
  Webhook,
  WebhookVariable,
} from "./documents.ts";
import { type Chance, createIds, type Ids } from "./ids.ts";

/** A list that forgets its oldest items, so that telemetry cannot fill the memory. */
export type Stream<T> = { readonly items: readonly T[]; add(item: T): void };

export type Organization = {
  readonly clock: () => Date;
  readonly ids: Ids;
  readonly id: number;
  readonly uuid: string;
  /** The person whose application key every caller uses. */
  readonly me: Person;
  readonly people: Map<string, Person>;
  readonly roles: Map<string, Role>;
  readonly permissions: readonly Permission[];
  readonly monitors: Map<number, Monitor>;
  readonly dashboards: Map<string, Dashboard>;
  /** Deleted dashboards that can still be restored. */
  readonly deletedDashboards: Map<string, Dashboard>;
  readonly sharedDashboards: Map<string, SharedDashboard>;
  readonly dashboardLists: Map<number, DashboardList>;
  readonly downtimes: Map<string, Downtime>;
  readonly slos: Map<string, Slo>;
  readonly corrections: Map<string, Correction>;
  readonly notebooks: Map<number, Notebook>;
  readonly webhooks: Map<string, Webhook>;
  readonly webhookVariables: Map<string, WebhookVariable>;
  readonly apiKeys: Map<string, Key>;
  readonly appKeys: Map<string, Key>;
  readonly metadata: Map<string, MetricMetadata>;
  readonly tagConfigurations: Map<string, TagConfiguration>;
  readonly events: Stream<Happening>;
  readonly points: Stream<Point>;
  readonly checks: Stream<ServiceCheck>;
  readonly logs: Stream<LogEntry>;
};

export type Setting = { readonly clock: () => Date; readonly chance: Chance };

const remembered = { events: 10_000, points: 100_000, checks: 10_000, logs: 20_000 };

export const createOrganization = ({ clock, chance }: Setting): Organization => {
  const ids = createIds(chance);
  const permissions = createPermissions(ids);
  const [admin, standard] = createRoles({ ids, now: clock(), permissions });
  const me: Person = {
    uuid: ids.uuid(),
    id: ids.number("person", 7),
    name: "Sandbox",
    handle: "sandbox@example.com",
    email: "sandbox@example.com",
    title: null,
    created: clock(),
    modified: clock(),
    verified: true,
    disabled: false,
    service_account: false,
    roles: [admin.id],
  };
  return {
    clock,
    ids,
    id: ids.number("org", 6),
    uuid: ids.uuid(),
    me,
    people: new Map([[me.uuid, me]]),
    roles: new Map([admin, standard].map((role) => [role.id, role])),
    permissions,
    monitors: new Map(),
    dashboards: new Map(),
    deletedDashboards: new Map(),
    sharedDashboards: new Map(),
    dashboardLists: new Map(),
    downtimes: new Map(),
    slos: new Map(),
    corrections: new Map(),
    notebooks: new Map(),
    webhooks: new Map(),
    webhookVariables: new Map(),
    apiKeys: new Map(),
    appKeys: new Map(),
    metadata: new Map(),
    tagConfigurations: new Map(),
    events: createStream(remembered.events),
    points: createStream(remembered.points),
    checks: createStream(remembered.checks),
    logs: createStream(remembered.logs),
  };
};

/** A few of Datadog's permissions, enough for roles to differ. */
const createPermissions = (ids: Ids): readonly Permission[] =>
  [
    ["dashboards_read", "Dashboards", "Dashboards Read"],
    ["dashboards_write", "Dashboards", "Dashboards Write"],
    ["monitors_read", "Monitors", "Monitors Read"],
    ["monitors_write", "Monitors", "Monitors Write"],
    ["monitors_downtime", "Monitors", "Manage Downtimes"],
    ["logs_read_data", "Log Management", "Logs Read Data"],
    ["user_access_manage", "Access Management", "User Access Manage"],
  ].map(([name = "", group = "", display = ""]) => ({ id: ids.uuid(), name, group, display }));

const createRoles = (org: { ids: Ids; now: Date; permissions: readonly Permission[] }): readonly [Role, Role] => {
  const { ids, now, permissions } = org;
  const role = (name: string, granted: readonly Permission[]): Role => ({
    id: ids.uuid(),
    name,
    created: now,
    modified: now,
    permissions: granted.map(({ id }) => id),
  });
  const daily = permissions.filter(({ group }) => group !== "Access Management");
  return [role("Datadog Admin Role", permissions), role("Datadog Standard Role", daily)];
};

const createStream = <T>(limit: number): Stream<T> => {
  const items: T[] = [];
  return {
    items,
    add: (item) => {
      items.push(item);
      // In steps: taking one off the front each time would move the whole list each time.
      if (items.length > limit * 1.25) items.splice(0, items.length - limit);
    },
  };
};

/** Who made something, as v1 answers it. */
export const creator = ({ me }: Organization): { name: string | null; handle: string; email: string } => ({
  name: me.name,
  handle: me.handle,
  email: me.email,
});
