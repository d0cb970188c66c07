/** Recordings for browsers to show: a session with ten thousand calls, one whose bodies mean harm, and one as a job leaves it. */

import { gzipSync } from "node:zlib";
import type { Closing, Opening, RecordedBody } from "../../server/model/receipt.ts";
import type { Access } from "../../server/model/operation.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { type FreshDatabase, quietLog } from "../standins/database.ts";
import { bodyOf, clientFields, closing, newSession, opening } from "../store/specimens.ts";

export type Recorded = { readonly store: Store; close(): Promise<void> };

export const openRecorder = async ({
  connectionString,
}: Pick<FreshDatabase, "connectionString">): Promise<Recorded> => {
  const store = await openStore({ connectionString, log: quietLog, clock: () => new Date() });
  return { store, close: () => store.close() };
};

const claims = {
  repository: "acme/checkout",
  repository_id: "42",
  repository_owner_id: "1234",
  workflow: "Tidy up monitors",
  event_name: "pull_request",
  ref: "refs/pull/7/merge",
  sha: "3f6f0a1c2b9d4e5f60718293a4b5c6d7e8f90a1b",
  actor: "octocat",
  run_id: "9130482715",
  run_attempt: "1",
};

export const openRecording = async (
  { sessions }: Store,
  more: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const caller = {
    issuer: "https://token.actions.githubusercontent.com",
    issuer_name: "github",
    subject: "repo:acme/checkout:pull_request",
    groups: [],
    claims: { ...claims, ...more },
  };
  return (await sessions.open(newSession({ caller }))).id;
};

type Sample = { readonly operation: string; readonly access: Access; readonly method: string; readonly path: string };

const samples: readonly Sample[] = [
  { operation: "v1.MonitorsApi.ListMonitors", access: "read", method: "GET", path: "/api/v1/monitor" },
  { operation: "v1.MonitorsApi.GetMonitor", access: "read", method: "GET", path: "/api/v1/monitor/4212" },
  { operation: "v2.LogsApi.ListLogs", access: "read", method: "POST", path: "/api/v2/logs/events/search" },
  { operation: "v1.DashboardsApi.GetDashboard", access: "read", method: "GET", path: "/api/v1/dashboard/abc-def-ghi" },
  { operation: "v2.MetricsApi.SubmitMetrics", access: "submit", method: "POST", path: "/api/v2/series" },
  { operation: "v1.MonitorsApi.UpdateMonitor", access: "write", method: "PUT", path: "/api/v1/monitor/4212" },
  { operation: "v1.MonitorsApi.DeleteMonitor", access: "destructive", method: "DELETE", path: "/api/v1/monitor/4212" },
];

const denial: Opening["decision"] = {
  effect: "deny",
  rules: [{ name: "no-monitor-deletes", effect: "deny", reason: 'operation.name == "DeleteMonitor"' }],
  reason: "DeleteMonitor is denied by rule no-monitor-deletes",
  policy: "0".repeat(64),
};

/** `count` calls within about `minutes`, of every kind; what destroys is denied. They begin `minutes` ago. */
export async function recordMany(
  { sink }: Store,
  session_id: string,
  { count, minutes }: { readonly count: number; readonly minutes: number },
): Promise<void> {
  const from = Date.now() - minutes * 60_000;
  const step = (minutes * 60_000) / count;
  for (let begun = 0; begun < count; begun += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, count - begun) }, (_, index) => {
        const n = begun + index;
        const sample = samples[n % 61 === 60 ? 6 : n % 13 === 12 ? 5 : n % 5] ?? samples[0];
        return sink.record(
          ...callOf(session_id, { sample: sample as Sample, at: from + n * step, took: 20 + ((n * 37) % 400) }),
        );
      }),
    );
}

function callOf(
  session_id: string,
  { sample, at, took }: { readonly sample: Sample; readonly at: number; readonly took: number },
): Parameters<Store["sink"]["record"]> {
  const isDenied = sample.access === "destructive";
  const time = (ms: number): Date => new Date(at + ms);
  const ends = isDenied
    ? ({
        state: "refused",
        status: 403,
        error_code: "denied",
        error: denial.reason,
        forwarded_at: null,
        first_byte_at: null,
        upstream: null,
      } as const)
    : { forwarded_at: time(2), first_byte_at: time(took - 5) };
  return [
    opening(session_id, {
      ...sample,
      query: "",
      received_at: time(0),
      decided_at: time(1),
      ...(isDenied ? { decision: denial } : {}),
      request: { headers: clientFields, body: null },
    }),
    () => closing({ ...ends, done_at: time(took) }),
  ];
}

export type Exchange = {
  readonly opening?: Partial<Opening>;
  readonly request?: RecordedBody | null;
  readonly response?: RecordedBody | null;
  readonly closing?: Partial<Closing>;
};

/** @returns its number */
export async function recordOne({ sink }: Store, session_id: string, exchange: Exchange): Promise<number> {
  const at = new Date();
  const { n } = await sink.record(
    opening(session_id, {
      received_at: at,
      decided_at: at,
      request: { headers: clientFields, body: exchange.request ?? null },
      ...exchange.opening,
    }),
    () =>
      closing({
        forwarded_at: at,
        first_byte_at: at,
        done_at: new Date(at.getTime() + 40),
        response: { headers: [["content-type", "application/json"]], body: exchange.response ?? null },
        ...exchange.closing,
      }),
  );
  return n;
}

const body = (content: string | Buffer, changes: Partial<RecordedBody> = {}): RecordedBody => ({
  ...bodyOf(content),
  ...changes,
});

export const attack = `"><script>globalThis.hacked=1</script><img src=x onerror="globalThis.hacked=2"><svg onload="globalThis.hacked=3">`;

/** What a browser, a terminal or a reader would stumble over, each as the body of an answer; by what it is. */
export const hostile = {
  markup: body(JSON.stringify({ [attack]: attack, href: "javascript:globalThis.hacked=4" })),
  escapes: body("\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m \u0000 \u0008\u0008 end", {
    content_type: "text/plain",
  }),
  bidi: body(JSON.stringify({ file: "invoice\u202egnp.exe", zero: "a\u200bb\u2066c\u2069", "\u202ekey": 1 })),
  line: body("x".repeat(5 * 1024 * 1024), { content_type: "text/plain" }),
  jsonLine: body(JSON.stringify({ long: "y".repeat(5 * 1024 * 1024), after: 1 })),
  deep: body(`${'{"a":['.repeat(100)}12345678901234567890.10${"]}".repeat(100)}`),
  deeper: body(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
  wide: body(JSON.stringify(Array.from({ length: 50_000 }, (_, index) => ({ id: index, name: `monitor ${index}` })))),
  binary: body(Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x3c, 0x73, 0x3e, 0x80])),
  zipped: body(gzipSync(JSON.stringify({ zipped: true, [attack]: 1 })), { encoding: "gzip" }),
  notZipped: body(Buffer.from("this is no gzip <b>"), { encoding: "gzip" }),
  html: body(`<!doctype html>${attack}`, { content_type: "text/html" }),
  masked: body(
    JSON.stringify({ email: `dwm_email_${"A".repeat(40)}@masked.invalid`, key: `dwm_secret_${"B".repeat(40)}` }),
  ),
} as const satisfies Readonly<Record<string, RecordedBody>>;

const monitor = {
  id: 4212,
  name: "Checkout latency p99",
  type: "query alert",
  query: "avg(last_5m):p99:trace.http.request{service:checkout} > 2",
  options: { notify_no_data: false, thresholds: { critical: 2, warning: 1.5 } },
  creator: { email: `dwm_email_${"Qx7Zk2".repeat(6)}@masked.invalid` },
  tags: ["team:payments", "env:prod"],
};
export const updated = {
  ...monitor,
  query: "avg(last_10m):p99:trace.http.request{service:checkout} > 2.5",
  options: { notify_no_data: true, thresholds: { critical: 2.5, warning: 2.0 } },
};

/** As an agent's job would leave it, over two minutes; `policy`: the digest of one that is kept. Its update is call 9, its denial call 12. */
export async function recordJob(store: Store, session_id: string, policy: string): Promise<void> {
  const from = Date.now() - 150_000;
  const steps = [
    [0, 1, 180],
    [1.2, 0, 260],
    [2.0, 2, 640],
    [9.5, 2, 720],
    [11, 3, 150],
    [11.3, 0, 210],
    [19, 1, 170],
    [19.4, 1, 160],
    [31, 5, 340],
    [34, 4, 60],
    [34.2, 4, 70],
    [48, 6, 2],
    [49, 1, 150],
    [61, 2, 1_900],
    [75, 5, 300],
    [97, 4, 55],
    [97.1, 4, 60],
    [118, 0, 230],
  ] as const;
  for (const [seconds, which, took] of steps) {
    const sample = samples[which] as Sample;
    const isDenied = sample.access === "destructive";
    const isHeld = sample.access === "write" && seconds > 50;
    const at = from + seconds * 1_000;
    const held = isHeld ? 18_000 : 2;
    const rule = isDenied ? "no-monitor-deletes" : sample.access === "read" ? "reads" : "everything-else";
    const effect = isDenied ? "deny" : isHeld ? "approve" : "allow";
    const content = JSON.stringify(
      sample.access === "write"
        ? updated
        : sample.operation.endsWith("GetMonitor")
          ? seconds > 40
            ? updated
            : monitor
          : { data: [] },
    );
    await recordOne(store, session_id, {
      opening: {
        ...sample,
        query: "",
        received_at: new Date(at),
        decided_at: new Date(at + 1),
        decision: {
          effect,
          rules: [
            {
              name: rule,
              effect,
              reason: isDenied ? 'operation.name == "DeleteMonitor"' : `operation.access == "${sample.access}"`,
            },
          ],
          reason: `${sample.operation.split(".").at(-1)} is ${isDenied ? "denied" : isHeld ? "held" : "allowed"} by rule ${rule}`,
          policy,
        },
      },
      request:
        sample.access === "write" ? body(JSON.stringify({ query: updated.query, options: updated.options })) : null,
      response: isDenied ? null : body(content),
      closing: isDenied
        ? {
            state: "refused",
            status: 403,
            error_code: "denied",
            error: "DeleteMonitor is denied by rule no-monitor-deletes",
            forwarded_at: null,
            first_byte_at: null,
            done_at: new Date(at + 2),
            upstream: null,
            response: null,
          }
        : {
            forwarded_at: new Date(at + held),
            first_byte_at: new Date(at + held + took - 5),
            done_at: new Date(at + held + took),
          },
    });
  }
}
