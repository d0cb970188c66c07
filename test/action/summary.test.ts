/** The job summary says what happened, and nothing that happened can change what it says. */

import { describe, expect, test } from "vitest";
import { summarize } from "../../action/summary.ts";
import { callJson } from "../standins/gateway.ts";
import { approvalJson } from "../standins/gatewayApprovals.ts";

const id = "01990000-0000-7000-8000-000000000000";
const session = { id, url: `https://dogwatch.example.com/sessions/${id}`, connection: "prod" };
const totals = { calls: 3, denied: 1, approved: 0, masked: 2, seal: null, url: session.url };

const denied = callJson(id, 3, {
  operation: "v1.MonitorsApi.DeleteMonitor",
  method: "DELETE",
  state: "refused",
  status: 403,
  error_code: "denied",
  decision: {
    effect: "deny",
    rules: [
      { name: "agents-may-read", effect: "allow", reason: "no match" },
      { name: "no-monitor-deletes", effect: "deny", reason: "matched" },
    ],
    near: [],
    tokens: [],
    reason: "denied by rule no-monitor-deletes",
    policy: "p1",
  },
});

describe("what it says", () => {
  const text = summarize(session, {
    totals,
    calls: [callJson(id, 1), callJson(id, 2, { status: 404, done_at: "2026-01-01T00:00:00.200Z" }), denied],
    approvals: [],
  });

  test("the session's link and totals", () => {
    expect(text).toContain(`<a href="${session.url}">Session ${id}</a> on connection <b>prod</b>`);
    expect(text).toContain("3 calls · 1 denied · 0 approved · 2 values masked");
  });

  test("each operation with its count, decision, statuses and times", () => {
    expect(text).toContain(
      "<tr><td>v1.MonitorsApi.ListMonitors</td><td>2</td><td>allow</td><td>200, 404</td><td>200 ms</td><td>200 ms</td></tr>",
    );
  });

  test("each refusal with the rule that refused it", () => {
    expect(text).toContain("<td>no-monitor-deletes</td><td>denied by rule no-monitor-deletes</td>");
    expect(text).not.toContain("<td>agents-may-read");
  });

  test("loudly, and before everything else, what passed only because a rule observes", () => {
    const call = callJson(id, 1, { operation: "v1.MonitorsApi.DeleteMonitor" });
    call.decision = {
      ...call.decision,
      effect: "observe",
      rules: [{ name: "no-monitor-deletes", effect: "deny", reason: "operation.name == DeleteMonitor" }],
      reason: "DeleteMonitor would be denied by rule no-monitor-deletes",
    };
    const observing = summarize(session, { totals, calls: [call, callJson(id, 2)], approvals: [] });
    expect(observing).toContain(
      "1 call was forwarded only because the policy observes here: enforced, it refuses them",
    );
    expect(observing).toContain(
      "<td>no-monitor-deletes</td><td>DeleteMonitor would be denied by rule no-monitor-deletes",
    );
    expect(observing.indexOf("observes here")).toBeLessThan(observing.indexOf("<th>Operation</th><th>Calls</th>"));
    expect(text).not.toContain("observes");
  });

  const asked = approvalJson("https://dogwatch.example.com", {
    state: "consumed",
    call_id: `${id}/1`,
    consumed_by: `${id}/2`,
    asked_at: "2026-01-01T00:00:00.000Z",
    decided_at: "2026-01-01T00:02:10.000Z",
    where: [{ kind: "review_comment", url: "https://github.com/acme/app/pull/7#discussion_r1" }],
    answers: [
      {
        verdict: "approve",
        by: "github:eve",
        via: "comment",
        at: "2026-01-01T00:01:00.000Z",
        accepted: false,
        reason: "eve asked for it herself",
      },
      {
        verdict: "approve",
        by: "github:ana",
        via: "check",
        at: "2026-01-01T00:02:10.000Z",
        accepted: true,
        reason: "",
      },
    ],
  });
  const deletion = { operation: "v1.MonitorsApi.DeleteMonitor", approval_id: asked.id };
  const held = callJson(id, 1, { ...deletion, state: "refused", status: 202, error_code: "approval_required" });
  const passed = callJson(id, 2, {
    ...deletion,
    received_at: "2026-01-01T00:02:11.000Z",
    forwarded_at: "2026-01-01T00:02:11.010Z",
    done_at: "2026-01-01T00:02:11.100Z",
  });

  test("who was asked what, what came of it, every answer, and where to read it", () => {
    const told = summarize(session, { totals, calls: [held, passed], approvals: [asked] });
    const [, row] = /<h4>Approvals<\/h4>\n<table>\n.*\n(.*)\n/.exec(told) ?? [];
    expect(row).toBe(
      [
        "<tr><td>Delete monitor 4212 “Checkout latency p99”<br>DeleteMonitor, rule writes-need-a-human</td>",
        `<td>approved, let pass <a href="${passed.url}">call 2</a></td>`,
        "<td><i>not accepted:</i> approve by github:eve (comment, 2026-01-01T00:01:00.000Z): eve asked for it herself<br>",
        "approve by github:ana (check, 2026-01-01T00:02:10.000Z)</td><td>2m 10s</td>",
        `<td><a href="https://github.com/acme/app/pull/7&#35;discussion&#95;r1">review comment</a>, <a href="${asked.url}">page</a></td></tr>`,
      ].join(""),
    );
    expect(told).not.toContain("<h4>Refused</h4>");
    expect(told).toContain("<td>asked, 200</td>");
  });

  test("the wait in the timeline", () => {
    const told = summarize(session, { totals, calls: [held, passed], approvals: [asked] });
    expect(told).toMatch(/ {4}1 │░{38,39} *│ 130000 ms DeleteMonitor/);
    const kept = callJson(id, 1, {
      ...deletion,
      forwarded_at: "2026-01-01T00:00:40.000Z",
      done_at: "2026-01-01T00:00:41.000Z",
    });
    expect(summarize(session, { totals, calls: [kept], approvals: [asked] })).toMatch(/ {4}1 │░{38}█+│ 41000 ms/);
  });

  test.each([
    ["pending", "", "not answered when the job ended"],
    ["approved", "", "approved, never used"],
    ["denied", "denied by github:ana: no", "denied: denied by github:ana: no"],
    ["expired", "", "expired"],
    ["stale", "the monitor changed", "stale: the monitor changed"],
    ["cancelled", "the session ended", "cancelled: the session ended"],
  ] as const)("an approval that is %s (%s)", (state, reason, expected) => {
    const approval = { ...asked, state, reason, consumed_by: null };
    expect(summarize(session, { totals, calls: [held], approvals: [approval] })).toContain(`<td>${expected}</td>`);
  });

  test("that approvals could not be read", () => {
    expect(summarize(session, { totals, calls: [held], approvals: null })).toContain("approvals could not be read");
  });

  test("a timeline of the calls", () => {
    expect(text).toMatch(/ {4}1 │█+ +│ 50 ms ListMonitors/);
    expect(text).toMatch(/ {4}3 │×+ +│ 50 ms DeleteMonitor/);
  });

  test("that calls were left out of the counts, that they could not be read, or that nothing could", () => {
    expect(
      summarize(session, { totals: { ...totals, calls: 9000 }, calls: [callJson(id, 1)], approvals: [] }),
    ).toContain("Only the first 1 calls");
    expect(summarize(session, { totals, calls: null, approvals: null })).toContain("could not be read");
    expect(summarize(session, undefined)).toContain("could not be read");
  });
});

describe("what cannot change it", () => {
  const hostile =
    "</td><script>alert(1)</script>\n\n# owned `x` | [a](javascript:b) @octocat ![i](x) <img src=x> &lt; \u202edesrever $x$";

  test("markup, Markdown, mentions, new lines and reversed text in any field stay text", () => {
    const call = { ...denied, operation: hostile, error: hostile, error_code: hostile, url: `https://x/"><script>` };
    call.decision = {
      ...denied.decision,
      rules: [{ name: hostile, effect: "deny", reason: hostile }],
      reason: hostile,
    };
    const answer = {
      verdict: "deny",
      by: hostile,
      via: "page",
      at: hostile,
      accepted: false,
      reason: hostile,
    } as const;
    const approval = approvalJson("https://x", {
      title: hostile,
      operation: hostile,
      rule: hostile,
      reason: hostile,
      state: "denied",
      consumed_by: hostile,
      answers: [answer, answer],
      url: "javascript:alert(1)",
      where: [{ kind: "issue", url: `https://x/"><script>` }],
    });
    const recorded = { totals, calls: [call], approvals: [approval] };
    const text = summarize({ ...session, connection: hostile }, recorded);
    expect(text).not.toContain("javascript:alert");
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag = ""]) => tag));
    expect([...tags].toSorted()).toEqual([
      "a",
      "b",
      "br",
      "details",
      "h3",
      "h4",
      "i",
      "p",
      "pre",
      "summary",
      "table",
      "td",
      "th",
      "tr",
    ]);
    expect(text).not.toMatch(/[`@|[\]#\u202e$](?!\d)/);
    expect(text).not.toMatch(/\n\n/);
  });

  test("a session of thousands of different long operations stays below 1 MiB, every section whole", () => {
    const long = "|".repeat(5_000);
    const calls = Array.from({ length: 5_000 }, (_, n) => ({
      ...denied,
      n,
      operation: `${n}${long}`,
      error: long,
      error_code: long,
      url: `https://x/${long.slice(0, 900)}`,
    }));
    const text = summarize(session, { totals, calls, approvals: [] });
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
    expect(text).toContain("this summary would have been too long");
    for (const tag of ["table", "details", "pre"])
      expect(text.split(`<${tag}>`)).toHaveLength(text.split(`</${tag}>`).length);
  });
});
