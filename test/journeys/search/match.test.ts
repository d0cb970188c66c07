/** What a search finds in one call, exactly, and how it is cut out. */

import { describe, expect, test } from "vitest";
import { excerptsOf } from "../../../server/journeys/search/excerpt.ts";
import { isQueryProblem, type Query, readQuery } from "../../../server/journeys/search/language.ts";
import { indexOfWord, Looked, matches } from "../../../server/journeys/search/match.ts";
import type { StoredCall } from "../../../server/model/receipt.ts";
import type { SearchedTexts } from "../../../server/model/searched.ts";

const at = (ms: number): Date => new Date(Date.UTC(2026, 4, 4) + ms);

const call: StoredCall = {
  session_id: "0199c3a1-5f00-7000-8000-000000000001",
  n: 7,
  operation: "v1.MonitorsApi.DeleteMonitor",
  access: "destructive",
  method: "DELETE",
  host: "api.datadoghq.com",
  path: "/api/v1/monitor/4212",
  query: "force=true",
  decision: {
    effect: "deny",
    rules: [{ name: "no-monitor-deletes", effect: "deny", reason: "it matched" }],
    reason: "DeleteMonitor is denied by rule no-monitor-deletes",
    policy: "0".repeat(64),
  },
  client: null,
  received_at: at(0),
  decided_at: at(1),
  approval_id: null,
  state: "refused",
  status: 403,
  error_code: "denied",
  error: "DeleteMonitor is denied",
  upstream: null,
  forwarded_at: null,
  first_byte_at: null,
  done_at: at(1_500),
  request: { headers: [["user-agent", "only-in-a-header"]], body: null },
  response: null,
  response_decision: null,
};

const searched = (more: Partial<SearchedTexts> = {}): SearchedTexts => ({
  call,
  connection: "prod",
  repository: "https://token.actions.githubusercontent.com 70",
  caller: {
    issuer: "https://token.actions.githubusercontent.com",
    issuer_name: "github",
    subject: "repo:acme/app:pull_request",
    groups: [],
    claims: {
      repository: "Acme/App",
      repository_id: "70",
      run_id: "9001",
      actor: "Octocat",
      ref: "refs/pull/12/merge",
    },
  },
  request: null,
  response: '{"name":"Checkout latency","id":"x_7","note":"Ärger"}',
  ...more,
});

const query = (typed: string): Query => {
  const read = readQuery(typed, at(0));
  if (isQueryProblem(read)) throw new Error(read.message);
  return read;
};

describe("is found by", () => {
  test.each([
    "",
    "checkout",
    "HECKOUT LAT",
    "ärger",
    "word:latency",
    "x_7",
    "monitor/4212",
    "force=true",
    "no-monitor-deletes",
    "deletemonitor",
    "operation:deletemonitor",
    "operation:v1.monitorsapi.deletemonitor",
    "operation:delete*",
    "operation:*Api.*",
    "access:destructive",
    "status:403",
    "status:4xx",
    "status:>=400",
    "-status:2xx",
    "decision:deny",
    "rule:no-monitor-deletes",
    "rule:no-*",
    "repo:acme/app",
    "repo:app",
    "pr:12",
    "run:9001",
    "actor:octocat",
    "session:0199c3a1-5f00-7000-8000-000000000001",
    "connection:prod",
    "duration:>1s",
    "duration:1500..1500",
    "after:2026-05-04",
    "before:2026-05-05",
    "nothing OR checkout",
    "checkout -nothing",
    "-(nothing checkout)",
    "denied",
  ])("%s", (typed) => {
    expect(matches(query(typed), new Looked(searched()))).toBe(true);
  });
});

describe("is not found by", () => {
  test.each([
    "nothing",
    "word:latenc",
    "x_",
    "only-in-a-header",
    "-checkout",
    "checkout nothing",
    "operation:delete",
    "status:404",
    "status:<400",
    "duration:<1s",
    "after:2026-05-05",
    "before:2026-05-04",
    "repo:acme",
    "pr:1",
    "rule:*deny",
    '"monitor/4212 no"',
    ".*",
    "decision:allow",
  ])("%s", (typed) => {
    expect(matches(query(typed), new Looked(searched()))).toBe(false);
  });
});

/** Of the processor, ms: what others do on this machine meanwhile is not counted. */
const busySince = (began: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
};

test("a word is looked for once in a word that repeats it, however long both are", () => {
  const [word, long] = ["a".repeat(1_900), "a".repeat(8_000_000)];
  expect(indexOfWord(`${long} ${word}`, word, 0)).toBe(long.length + 1);
  const began = process.cpuUsage();
  expect(indexOfWord(long, word, 0)).toBe(-1);
  // Half a second; as long as both are one after the other it was a quarter of a minute.
  expect(busySince(began)).toBeLessThan(5_000);
  expect(indexOfWord("xab ab_ ab", "ab", 0)).toBe(8);
});

test("patterns with many stars take no time to speak of", () => {
  const slow = { ...call, operation: "a".repeat(30_000) };
  const began = process.cpuUsage();
  expect(matches(query(`operation:${"*a".repeat(300)}*b`), new Looked(searched({ call: slow })))).toBe(false);
  expect(busySince(began)).toBeLessThan(1_000);
});

describe("an excerpt", () => {
  const excerpt = (typed: string, response: string) =>
    excerptsOf(query(typed), new Looked(searched({ response }))).find(({ where }) => where === "response");
  const marked = (typed: string, response: string): string[] => {
    const { text = "", marks = [] } = excerpt(typed, response) ?? {};
    return marks.map(([from, to]) => text.slice(from, to));
  };

  test("marks what was found, as it is written", () => {
    expect(marked("checkout LATENCY", `${"-".repeat(500)} Checkout and Latency ${"-".repeat(500)}`)).toEqual([
      "Checkout",
      "Latency",
    ]);
    expect(excerpt("checkout", `${"-".repeat(500)}Checkout${"-".repeat(500)}`)?.text).toBe(
      `…${"-".repeat(40)}Checkout${"-".repeat(100)}…`,
    );
  });

  test("has nothing that moves a terminal or turns the writing around, and its marks stay where they are", () => {
    const { text = "" } = excerpt("evil", "a\u001b[2J\u0007\u202e\u2066 \r\n evil \u0000\u009b31m\u2028") ?? {};
    expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(marked("evil", "\u001b\u202eevil")).toEqual(["evil"]);
  });

  test("never cuts a token of a mask in two", () => {
    const token = `dwm_secret_${"Ab-_9".repeat(60)}`;
    for (let gap = 1; gap < 160; gap++) {
      for (const text of [
        `${token}${".".repeat(gap)}checkout`,
        `checkout${".".repeat(gap)}${token}`,
        `${token}@masked.invalid${" ".repeat(gap)}checkout`,
      ]) {
        const shown = excerpt("checkout", text)?.text ?? "";
        const pieces = [...shown.matchAll(/[A-Za-z0-9_-]*(?:Ab-_9|dwm_|asked)[A-Za-z0-9_-]*/g)].map(([piece]) => piece);
        for (const piece of pieces) expect([token, "masked"]).toContain(piece);
      }
    }
    expect(excerpt(token.slice(20, 60), `x ${token} y`)?.text).toContain(token);
  });

  test("never cuts a character in two", () => {
    for (let gap = 30; gap < 120; gap++) {
      const { text = "" } =
        excerpt(
          "checkout",
          `${"😀".repeat(gap)}${"-".repeat(gap % 3)}checkout${"-".repeat(gap % 2)}${"😀".repeat(gap)}`,
        ) ?? {};
      expect(text.isWellFormed()).toBe(true);
    }
  });

  test("shows nothing of what must not be there", () => {
    expect(
      excerptsOf(query("checkout -nothing"), new Looked(searched())).flatMap(({ text, marks }) =>
        marks.map(([a, b]) => text.slice(a, b)),
      ),
    ).toEqual(["Checkout"]);
    expect(excerptsOf(query("status:403"), new Looked(searched()))).toEqual([]);
  });
});
