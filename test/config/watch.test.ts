/** Reloading: a change is taken when it is whole and right; otherwise the last good configuration stays, loudly. */

import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needsRestart, type Watch, watchConfig } from "../../server/config/watch.ts";
import { examine } from "../../server/stages/decide/examine.ts";
import { env, fileWith, folder, good, load } from "./example.ts";

const never = 2 ** 30;

/** Looks only when told, and writes down what came of it. */
const watched = (file: string): { readonly watch: Watch; readonly seen: string[]; readonly settle: () => void } => {
  const seen: string[] = [];
  const watch = watchConfig(
    { file, env, examine },
    {
      changed: (config) =>
        seen.push(
          `changed: ${config.policy.rules.map(({ name }) => name).join(" ")} ${config.connections[0]?.apiKey.reveal()}`,
        ),
      refused: (problems) => seen.push(`refused: ${problems[0]?.line}:${problems[0]?.column} ${problems[0]?.message}`),
    },
    never,
  );
  onTestFinished(watch.stop);
  const settle = () => {
    watch.look();
    watch.look();
  };
  return { watch, seen, settle };
};

const withRule = `${good}    - { name: never, effect: deny }\n`;

test("a changed file is handed over once", () => {
  const file = fileWith(good);
  const { seen, settle } = watched(file);
  settle();
  writeFileSync(file, withRule);
  settle();
  settle();
  expect(seen).toEqual(["changed: agents-may-read never api-key-value"]);
});

test("a file that is still being written is not taken for whole: its deny rules may come last", () => {
  const file = fileWith(withRule);
  const { watch, seen, settle } = watched(file);
  writeFileSync(file, good);
  watch.look();
  writeFileSync(file, `${withRule}hold: 20s\n`);
  settle();
  expect(seen).toEqual(["changed: agents-may-read never api-key-value"]);
});

test("an invalid change is refused with its place, and the next good one is taken", () => {
  const file = fileWith(good);
  const { seen, settle } = watched(file);
  writeFileSync(file, good.replace("operation.access", "operation.acces"));
  settle();
  settle();
  writeFileSync(file, withRule);
  settle();
  expect(seen).toEqual([
    "refused: 13:23 unknown name operation.acces; did you mean access?",
    "changed: agents-may-read never api-key-value",
  ]);
});

test("a file that disappears is refused, and taken again when it comes back changed", () => {
  const file = fileWith(good);
  const { seen, settle } = watched(file);
  unlinkSync(file);
  settle();
  writeFileSync(file, withRule);
  settle();
  expect(seen).toEqual([
    "refused: 1:1 cannot be read: there is no such file",
    "changed: agents-may-read never api-key-value",
  ]);
});

test("an editor that replaces the file is noticed", () => {
  const file = fileWith(good);
  const { seen, settle } = watched(file);
  writeFileSync(`${file}.new`, withRule);
  renameSync(`${file}.new`, file);
  settle();
  expect(seen).toHaveLength(1);
});

test("a secret that is rotated in its file is noticed", () => {
  const directory = folder();
  const file = join(directory, "dogwatch.yaml");
  writeFileSync(join(directory, "key"), "first");
  writeFileSync(file, good.replace("${env:DD_API_KEY}", "${file:key}"));
  const { seen, settle } = watched(file);
  writeFileSync(join(directory, "key"), "second");
  settle();
  expect(seen).toEqual(["changed: agents-may-read second"]);
});

test("Kubernetes' swapped folders are noticed", () => {
  const directory = folder();
  for (const [version, text] of [
    ["v1", good],
    ["v2", withRule],
  ] as const) {
    mkdirSync(join(directory, version));
    writeFileSync(join(directory, version, "dogwatch.yaml"), text);
  }
  symlinkSync("v1", join(directory, "..data"));
  symlinkSync(join("..data", "dogwatch.yaml"), join(directory, "dogwatch.yaml"));
  const { seen, settle } = watched(join(directory, "dogwatch.yaml"));
  rmSync(join(directory, "..data"));
  symlinkSync("v2", join(directory, "..data"));
  settle();
  expect(seen).toHaveLength(1);
});

test("touching the file changes nothing", () => {
  const file = fileWith(good);
  const { seen, settle } = watched(file);
  writeFileSync(file, readFileSync(file));
  settle();
  expect(seen).toEqual([]);
});

test("what only a new start can change is named", () => {
  const before = load(good);
  expect(needsRestart(before, load(withRule))).toEqual([]);
  expect(needsRestart(before, load(`${good}listen: 127.0.0.1:1\ndatabase: postgres://x\ndataDir: other\n`))).toEqual([
    "listen",
    "database",
    "dataDir",
  ]);
  expect(needsRestart(before, load(good.replace("publicUrl: https://", "publicUrl: https://other.")))).toEqual([
    "publicUrl",
  ]);
});
