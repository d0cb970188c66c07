/** A first line that is an answer, and all the lines that are none. */

import { expect, test } from "vitest";
import { readCommand } from "../../../server/stages/escalate/command.ts";

test.each([
  "",
  "approve K7M2Q9XZ",
  "please /approve K7M2Q9XZ",
  "> /approve K7M2Q9XZ",
  "\n/approve K7M2Q9XZ",
  "`/approve K7M2Q9XZ`",
  "/approved K7M2Q9XZ",
  "/approveK7M2Q9XZ",
  "/ approve K7M2Q9XZ",
  "\u200B/approve K7M2Q9XZ",
  "\u2215approve K7M2Q9XZ",
  "<!-- -->/approve K7M2Q9XZ",
  "LGTM\n/approve K7M2Q9XZ",
])("%j says nothing to us", (comment) => {
  expect(readCommand(comment)).toBeNull();
});

test.each([
  "/approve",
  "/deny",
  "/approve only if it is safe",
  "/approve K7M2Q9XZ only if it is safe",
  "/approve K7M2Q9XZ K7M2Q9XZ",
  "/approve K7M2Q9XZ 0m",
  "/approve K7M2Q9XZ -5m",
  "/approve K7M2Q9XZ 999999h",
  "/approve K7M2Q9XZ 5 parsecs",
  "/approve K7M2Q9XZ\u202E",
  "/approve К7M2Q9XZ",
  "/approve K7M2Q",
  "/approve K7M2Q9XZABCDEFG",
])("%j was meant as an answer and is none", (comment) => {
  expect(readCommand(comment)).toEqual({
    verdict: comment.startsWith("/deny") ? "deny" : "approve",
    problem: expect.any(String) as string,
  });
});

test("reads an approval, whatever follows below the first line", () => {
  const approval = { verdict: "approve", code: "K7M2Q9XZ", grant: null, reason: "" };
  for (const comment of [
    "/approve K7M2Q9XZ",
    "  /Approve   k7m2q9xz  ",
    "/approve `K7M2Q9XZ`",
    "/approve K7M2Q9XZ\r\n/deny K7M2Q9XZ no",
    "/approve K7M2Q9XZ\n\nOn Monday you wrote:",
  ])
    expect(readCommand(comment)).toEqual(approval);
});

test("reads what is asked for beyond one call", () => {
  expect(readCommand("/approve K7M2Q9XZ session")).toMatchObject({ grant: { kind: "session" } });
  expect(readCommand("/approve K7M2Q9XZ 30m")).toMatchObject({ grant: { kind: "duration", ms: 30 * 60_000 } });
  expect(readCommand("/approve K7M2Q9XZ 2H")).toMatchObject({ grant: { kind: "duration", ms: 2 * 3_600_000 } });
});

test("reads a denial with its reason, within bounds", () => {
  expect(readCommand("/deny K7M2Q9XZ not on a Friday")).toEqual({
    verdict: "deny",
    code: "K7M2Q9XZ",
    grant: null,
    reason: "not on a Friday",
  });
  const long = readCommand(`/deny K7M2Q9XZ ${"x".repeat(5_000_000)}`);
  expect(long !== null && "reason" in long && long.reason.length).toBe(1_000);
});
