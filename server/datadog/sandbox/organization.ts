/** The state of the sandbox: one Datadog organization, kept in memory from start to stop. */

import type {
  Case,
  Correction,
  Dashboard,
  DashboardList,
  Downtime,
  Happening,
  Incident,
  Key,
  LogEntry,
  Membership,
  MetricMetadata,
  Monitor,
  Notebook,
  Person,
  Point,
  Role,
  ServiceCheck,
  SharedDashboard,
  Slo,
  SyntheticsTest,
  TagConfiguration,
  Team,
  TeamLink,
  Webhook,
  WebhookVariable,
} from "./documents.ts";
import { type Chance, createIds, type Ids } from "./ids.ts";
import { permissions } from "./permissions.ts";
import { createRoom, type Room, type Stream } from "./shelf.ts";

export type Organization = {
  readonly clock: () => Date;
  readonly ids: Ids;
  /** Where routes keep what only they look at. */
  readonly room: Room;
  readonly id: number;
  readonly uuid: string;
  /** The person whose application key every caller uses. */
  readonly me: Person;
  readonly people: Map<string, Person>;
  readonly roles: Map<string, Role>;
  readonly teams: Map<string, Team>;
  /** By `TEAM/PERSON`. */
  readonly memberships: Map<string, Membership>;
  readonly teamLinks: Map<string, TeamLink>;
  readonly tests: Map<string, SyntheticsTest>;
  readonly incidents: Map<string, Incident>;
  readonly cases: Map<string, Case>;
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

export type Setting = { readonly clock: () => Date; readonly chance: Chance; readonly room: number };

const remembered = { events: 10_000, points: 100_000, checks: 10_000, logs: 20_000 };

export const createOrganization = ({ clock, chance, room: bytes }: Setting): Organization => {
  const ids = createIds(chance);
  const room = createRoom(bytes);
  const [admin, standard] = createRoles(ids, clock());
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
    room,
    id: ids.number("org", 6),
    uuid: ids.uuid(),
    me,
    people: room.shelf([[me.uuid, me]]),
    roles: room.shelf([admin, standard].map((role) => [role.id, role] as const)),
    teams: room.shelf(),
    memberships: room.shelf(),
    teamLinks: room.shelf(),
    tests: room.shelf(),
    incidents: room.shelf(),
    cases: room.shelf(),
    monitors: room.shelf(),
    dashboards: room.shelf(),
    deletedDashboards: room.shelf(),
    sharedDashboards: room.shelf(),
    dashboardLists: room.shelf(),
    downtimes: room.shelf(),
    slos: room.shelf(),
    corrections: room.shelf(),
    notebooks: room.shelf(),
    webhooks: room.shelf(),
    webhookVariables: room.shelf(),
    apiKeys: room.shelf(),
    appKeys: room.shelf(),
    metadata: room.shelf(),
    tagConfigurations: room.shelf(),
    events: room.stream(remembered.events),
    points: room.stream(remembered.points),
    checks: room.stream(remembered.checks),
    logs: room.stream(remembered.logs),
  };
};

const createRoles = (ids: Ids, now: Date): readonly [Role, Role] => {
  const role = (name: string, granted: readonly { readonly id: string }[]): Role => ({
    id: ids.uuid(),
    name,
    created: now,
    modified: now,
    permissions: granted.map(({ id }) => id),
  });
  const daily = permissions.filter(({ group_name }) => group_name !== "Access Management");
  return [role("Datadog Admin Role", permissions), role("Datadog Standard Role", daily)];
};

/** Who made something, as v1 answers it. */
export const creator = ({ me }: Organization): { name: string | null; handle: string; email: string } => ({
  name: me.name,
  handle: me.handle,
  email: me.email,
});
