/**
 * How fast recorded calls are decided again: `node test/bench/backtest.ts [CALLS]`, default 100,000.
 * The whole command as people run it, against an embedded PostgreSQL: calls a second and the most memory that was used.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backtestPolicy } from "../../server/cli/policy/backtest.ts";
import { type FreshDatabase, freshDatabase, startDatabase } from "../standins/database.ts";
import { clientFields } from "../store/specimens.ts";

const wanted = Number(process.argv[2] ?? 100_000);
const callsOfSession = 200;

const policy = (body: boolean): string => `
publicUrl: https://dogwatch.example.com
identity:
  issuers: [{ name: github, issuer: "https://token.actions.githubusercontent.com", allow: 'caller.repository_owner_id == "1234"' }]
connections:
  - { name: prod, kind: live, site: datadoghq.com, apiKey: a, appKey: b }
policy:
  rules:
    - { name: reads, effect: allow, operations: read }
    - { name: no-deletes, effect: deny, operations: DeleteMonitor, when: '!(request.params.monitor_id in ["4212"])' }
    - { name: writes, effect: allow, operations: write${body ? ", when: request.body.priority < 3" : ""} }
${Array.from({ length: 20 }, (_, i) => `    - { name: team-${i}, effect: allow, callers: { repository: acme/team-${i} }, operations: "*Dashboard*", when: request.path.startsWith("/api/v1/x${i}") }`).join("\n")}
`;

/** Like what the gateway records, written by the database itself: three reads, a creation and a deletion, over and over. */
const fill = async (database: FreshDatabase): Promise<void> => {
  const claims = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`claim_${i}`, `value of claim ${i}`]));
  const caller = {
    issuer: "https://token.actions.githubusercontent.com",
    issuer_name: "github",
    subject: "repo:acme/shop:ref:refs/heads/main",
    groups: [],
    claims: { ...claims, repository: "acme/shop", repository_id: "42", repository_owner_id: "1234" },
  };
  const decision = {
    effect: "allow",
    rules: [{ name: "everything", effect: "allow", reason: "true" }],
    reason: "it is allowed by rule everything",
    policy: "0".repeat(64),
  };
  const kind = { content_type: "application/json", encoding: null, truncated: false, kept: true };
  const sessions = Math.ceil(wanted / callsOfSession);
  await database.query(
    `INSERT INTO sessions (id, connection, caller, binding, opened_at, last_used_at, calls)
     SELECT ('01900000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, 'prod', $1::json, '{}', now(), now(), $2::int
     FROM generate_series(1, $3::int) s`,
    [JSON.stringify(caller), callsOfSession, sessions],
  );
  await database.query("SELECT open_epoch(epoch_of('01900000-0000-7000-8000-000000000001'))");
  await database.query(
    `INSERT INTO bodies (epoch, digest, sha256, coding, bytes)
     SELECT epoch_of('01900000-0000-7000-8000-000000000001'), sha256(v::text::bytea), sha256(v::text::bytea), 'identity', convert_to('{"priority":' || v || ',"message":"' || repeat('m', 360) || '"}', 'UTF8') FROM generate_series(1, 5) v`,
  );
  for (const [digest, body] of [
    ["01", null],
    ["02", kind],
  ] as const)
    await database.query(
      "INSERT INTO phrases (week, digest, value) SELECT e - e % 7, decode(repeat($1, 20), 'hex'), $2::json FROM epoch_of('01900000-0000-7000-8000-000000000001') e",
      [digest, JSON.stringify({ client: null, decision, headers: clientFields, body })],
    );
  await database.query(
    `INSERT INTO calls (session_id, n, replica, operation, access, method, host, path, query, phrase, received_at, decided_at,
       request_size, request_digest)
     SELECT ('01900000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, n, 1, k.operation, k.access, k.method, 'api.datadoghq.com',
       k.path, k.query, decode(repeat(CASE WHEN k.method = 'POST' THEN '02' ELSE '01' END, 20), 'hex'), now(), now(),
       CASE WHEN k.method = 'POST' THEN 400 END, CASE WHEN k.method = 'POST' THEN sha256((n / 5 % 5 + 1)::text::bytea) END
     FROM generate_series(1, $1::int4) s, generate_series(1, $2::int4) n JOIN (VALUES
       (0, 'v1.MonitorsApi.GetMonitor', 'read', 'GET', '/api/v1/monitor/4711', 'group_states=all'),
       (1, 'v1.MonitorsApi.ListMonitors', 'read', 'GET', '/api/v1/monitor', 'page=0&page_size=100'),
       (2, 'v2.IncidentsApi.GetIncident', 'read', 'GET', '/api/v2/incidents/00000000-0000-0000-1234-000000000000', ''),
       (3, 'v1.MonitorsApi.CreateMonitor', 'write', 'POST', '/api/v1/monitor', ''),
       (4, 'v1.MonitorsApi.DeleteMonitor', 'destructive', 'DELETE', '/api/v1/monitor/4711', '')
     ) k (i, operation, access, method, path, query) ON k.i = n % 5`,
    [sessions, callsOfSession],
  );
  await database.query(
    `INSERT INTO closings (session_id, n, state, status, done_at) SELECT session_id, n, 'closed', 200, now() FROM calls`,
  );
  await database.query("ANALYZE");
};

const measure = async (database: FreshDatabase, name: string, text: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
  const file = join(folder, "dogwatch.yaml");
  writeFileSync(file, text);
  const before = process.cpuUsage();
  const started = performance.now();
  const { output } = await backtestPolicy(
    { file, database: database.connectionString, since: "1d", json: true },
    { env: {}, now: new Date() },
    () => undefined,
  );
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(before);
  rmSync(folder, { recursive: true });
  const { calls, changed } = JSON.parse(output) as { calls: number; changed: number };
  const memory = process.resourceUsage().maxRSS / 1_024;
  process.stdout.write(
    `${name}: ${calls} calls, ${changed} changed, ${seconds.toFixed(2)} s, ${Math.round(calls / seconds)} calls/s, ` +
      `${((user + system) / 1e6).toFixed(2)} s of one core (${Math.round((calls * 1e6) / (user + system))} calls/s of it), at most ${Math.round(memory)} MiB\n`,
  );
};

const server = await startDatabase();
const database = await freshDatabase();
try {
  await fill(database);
  for (let round = 1; round <= 3; round++) {
    await measure(database, `round ${round}, no bodies`, policy(false));
    await measure(database, `round ${round}, a body in every fifth call`, policy(true));
  }
} finally {
  await database.drop();
  await server.stop();
}
