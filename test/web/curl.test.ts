/** A recorded call as a command: a real shell reads from it what was recorded, and runs nothing else. */

import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { curlOf, quoted } from "../../server/web/app/curl.ts";

const bash = (command: string): string =>
  execFileSync("bash", ["--noprofile", "--norc", "-c", command], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", DD_API_KEY: "k" },
  });

test("every text is one word of a shell, and that text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!text.includes("\0"));
      expect(bash(`printf %s ${quoted(text)}`)).toBe(text);
    }),
    { numRuns: 60 },
  );
  for (const text of ["'; touch /tmp/x; '", "$(id)`id`", "a\u001b[2Jb\u202ec\\'", "-X\n-Y"])
    expect(bash(`printf %s ${quoted(text)}`)).toBe(text);
});

test("what a terminal would obey is written as an escape", () => {
  expect(quoted("a\u001b[2J\u202e")).toBe(String.raw`$'a\x1b[2J\xe2\x80\xae'`);
});

test("keys are placeholders, and what belongs to the connection is left out", () => {
  const command = curlOf({
    method: "POST",
    host: "api.datadoghq.com",
    path: "/api/v1/monitor",
    query: "a=$(id)",
    request: {
      headers: [
        ["DD-API-KEY", "[masked]"],
        ["Host", "x"],
        ["content-length", "3"],
        ["X-Y", "it's"],
      ],
      body: {
        size: 3,
        sha256: null,
        expired: false,
        content_type: null,
        encoding: null,
        truncated: false,
        withheld: null,
        text: "{'}",
      },
    },
  });
  const words = bash(`curl() { printf '%s\\n' "$@"; }\n${command}`).trimEnd().split("\n");
  expect(words).toEqual([
    "-X",
    "POST",
    "https://api.datadoghq.com/api/v1/monitor?a=$(id)",
    "-H",
    "DD-API-KEY: k",
    "-H",
    "X-Y: it's",
    "--data-raw",
    "{'}",
  ]);
});
