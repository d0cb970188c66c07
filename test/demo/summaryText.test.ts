/** The job summary, which is HTML for GitHub's page, reads well in a terminal. */

import { expect, test } from "vitest";
import { summarize } from "../../action/summary.ts";
import { type Style, plain, summaryText } from "../../server/demo/summaryText.ts";
import type { CallJson } from "../../server/contract.ts";

const call = (n: number, more: object = {}): CallJson =>
  ({
    id: `s/${n}`,
    session_id: "s",
    n,
    url: `https://dogwatch.example.com/sessions/s/calls/${n}`,
    operation: "v1.MonitorsApi.ListMonitors",
    access: "read",
    state: "closed",
    status: 200,
    decision: { effect: "allow", rules: [], reason: "", policy: "" },
    approval_id: null,
    error: null,
    error_code: null,
    received_at: "2026-01-01T00:00:00.000Z",
    done_at: "2026-01-01T00:00:00.010Z",
    ...more,
  }) as unknown as CallJson;

const denied = call(2, {
  operation: "v1.MonitorsApi.DeleteMonitor",
  state: "refused",
  status: 403,
  error: "no <b>deletes</b> & more",
  error_code: "denied",
  decision: { effect: "deny", rules: [{ name: "no-deletes", effect: "deny", reason: "" }], reason: "", policy: "" },
});

const markup = summarize(
  { id: "s", url: "https://dogwatch.example.com/sessions/s", connection: "prod" },
  {
    totals: { calls: 2, denied: 1, approved: 0, masked: 0, seal: null, url: "" },
    calls: [call(1), denied],
    approvals: [],
  },
);

test("is a text with aligned tables, and the session's address", () => {
  expect(summaryText(markup, plain)).toMatchInlineSnapshot(`
    "Dogwatch: Datadog calls of this job
    Session s https://dogwatch.example.com/sessions/s on connection prod
    2 calls · 1 denied · 0 approved · 0 values masked

    Operation                      Calls   Decision   Status   Median   Longest
    v1.MonitorsApi.ListMonitors        1   allow         200    10 ms     10 ms
    v1.MonitorsApi.DeleteMonitor       1   deny          403    10 ms     10 ms

    Refused
    Call   Operation                      Code     Rule         Reason
       2   v1.MonitorsApi.DeleteMonitor   denied   no-deletes   no <b>deletes</b> & more

    Timeline (10 ms)
        1 │████████████████████████████████████████│ 10 ms ListMonitors
        2 │××××××××××××××××××××××××××××××××××××××××│ 10 ms DeleteMonitor"
  `);
});

test("marks what is denied, where there are colours", () => {
  const tagged: Style = (format, text) => `{${format} ${text}}`;
  expect(summaryText(markup, tagged)).toMatch(/\{red deny +\}/);
});

test("lets no control character through to the terminal, however it is written", () => {
  expect(summaryText("<p>a\u001b[31mb&#27;]0;c&#x9b;d&#99999999;</p>", plain)).toBe(
    "a\ufffd[31mb\ufffd]0;c\ufffdd&#99999999;",
  );
});

test("keeps the lines of one cell apart, on one line", () => {
  expect(summaryText("<table><tr><td>Delete monitor 4212<br>rule x</td></tr></table>", plain)).toBe(
    "\nDelete monitor 4212 · rule x",
  );
});

test("leaves the text of tags it does not know", () => {
  expect(summaryText("<p>one <blink>two</blink></p><p>1 &lt; 2</p>", plain)).toBe("one two\n1 < 2");
});
