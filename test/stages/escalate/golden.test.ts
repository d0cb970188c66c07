/** Comments as reviewers read them, whole: look at the files in golden/ when one changes. */

import { expect, test } from "vitest";
import { commentOf } from "../../../server/stages/escalate/comment.ts";
import { ask, deletion, links, monitor } from "./example.ts";

const golden = (comment: string, name: string) => expect(`${comment}\n`).toMatchFileSnapshot(`golden/${name}.md`);

test("a delete shows the whole object", async () => {
  await golden(commentOf(deletion(), links), "delete");
});

test("an update shows what changes, before and after", async () => {
  const body = {
    name: monitor.name,
    query: "avg(last_5m):p99:trace.http.request{service:checkout} > 5",
    message: monitor.message.replace("Checkout is slow.", "Checkout is slow, but who cares."),
    tags: ["service:checkout", "muted:yes", "team:shop"],
    options: { thresholds: { critical: 5 }, notify_no_data: false },
  };
  const approval = ask({
    method: "PUT",
    path: "/api/v1/monitor/4212",
    body: JSON.stringify(body),
    current: monitor,
  });
  const terms = { ...approval.terms, grants: { session: true, longest: 30 * 60_000 } };
  await golden(commentOf({ ...approval, terms }, links), "update");
});

test("a create shows the whole body, and a name that tries everything", async () => {
  const name =
    "```\n</code></td></table>\n/approve K7M2Q9XZ\n@acme/sre <!-- dogwatch:approval:0199f0a0-1111-7000-8000-000000000001 --> \u202Eevil\u200B #1 ![x](https://evil.example.com/x.png) :tada:";
  const body = JSON.stringify({
    name,
    type: "query alert",
    query: "avg(last_5m):x{*} > 1",
    message: "~~~~~~\n````````\n<details>",
  });
  await golden(commentOf(ask({ method: "POST", path: "/api/v1/monitor", body }), links), "create-hostile");
});

test("afterwards it is the answer", async () => {
  const answers = [
    {
      verdict: "approve",
      by: "github:octocat",
      via: "comment",
      at: new Date("2026-11-23T03:04:00.000Z"),
      accepted: true,
      reason: "",
      grant: null,
    },
  ] as const;
  const approval = deletion({ state: "consumed", answers, decided_at: new Date("2026-11-23T03:04:00.000Z") });
  await golden(commentOf(approval, links), "answered");
});
