/** The job summary says what happened, and nothing that happened can change what it says. */

import { describe, expect, test } from "vitest";
import { summarize } from "../../action/summary.ts";
import { callJson } from "../standins/gateway.ts";

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
    const text = summarize({ ...session, connection: hostile }, { totals, calls: [call], approvals: [] });
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag = ""]) => tag));
    expect([...tags].toSorted()).toEqual([
      "a",
      "b",
      "details",
      "h3",
      "h4",
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
