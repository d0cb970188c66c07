/** The `dogwatch` command stands for server/main.ts on Node 24, whatever Node started it. */

import { symlinkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkout } from "./checkout.ts";

const main = `
process.on("SIGTERM", () => { console.log("ends gently"); process.exit(7); });
console.log(JSON.stringify({ node: process.versions.node, args: process.argv.slice(2) }));
if (process.argv.includes("wait")) console.error("process " + process.pid);
if (process.argv.includes("wait")) setInterval(() => {}, 1000);
`;

/** Lets the Node that runs the tests pass for an old one, with itself as the one that was installed. */
const pretendOld = [
  "--import",
  `data:text/javascript,${encodeURIComponent('if (!process.env.INNER) { process.env.INNER = "1"; Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } }); }')}`,
];

function checkout(): Checkout {
  const made = new Checkout();
  made.write("server/main.ts", main);
  const bin = join(made.root, `node_modules/node-${process.platform}-${process.arch}/bin`);
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "node"));
  return made;
}

test("runs server/main.ts with its arguments", async () => {
  const ended = await checkout().run(["scripts/dogwatch.mjs", "check", "file.yaml"]);
  expect(JSON.parse(ended.output)).toEqual({ node: process.versions.node, args: ["check", "file.yaml"] });
});

test("hands over to the installed Node when an old one started it", async () => {
  const ended = await checkout().run([...pretendOld, "scripts/dogwatch.mjs", "check", "file.yaml"]);
  expect(JSON.parse(ended.output)).toEqual({ node: process.versions.node, args: ["check", "file.yaml"] });
});

test("passes signals on, and ends as the newer Node ends", async () => {
  const ended = await checkout().run([...pretendOld, "scripts/dogwatch.mjs", "wait"], {
    kill: { word: '"wait"', signal: "SIGTERM" },
  });
  expect(ended).toMatchObject({ code: 7 });
  expect(ended.output).toContain("ends gently");
});

test("ends gently when whoever stands for it is killed", async () => {
  // Its output closes when both have ended.
  const ended = await checkout().run([...pretendOld, "scripts/dogwatch.mjs", "wait"], {
    kill: { word: "process ", signal: "SIGKILL" },
  });
  expect(ended).toMatchObject({ signal: "SIGKILL", output: expect.stringContaining("ends gently") });
});

test("says what to do where nothing is installed", async () => {
  const ended = await new Checkout().run(["scripts/dogwatch.mjs"]);
  expect(ended).toMatchObject({
    code: 2,
    output: "dogwatch: the dependencies are not installed; run `npm ci` in the checkout first.\n",
  });
});
