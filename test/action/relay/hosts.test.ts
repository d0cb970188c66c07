/** The hosts file: a relay's lines come and go, and everybody else's stay where they are. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { addHosts, removeHosts } from "../../../action/relay/hosts.ts";

const others = `127.0.0.1\tlocalhost\n${"10.0.0.7\tbuild-7.example.com\n".repeat(2_000)}`;
const names = { session: "s1", hosts: ["api.datadoghq.com"], addresses: ["127.0.0.1", "::1"] };

let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-hosts-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  file = join(folder, "hosts");
  writeFileSync(file, others);
});
const text = (): string => readFileSync(file, "utf8");

test("names are added behind what is there, and taken back by their own session only", async () => {
  await addHosts(names, file);
  expect(text()).toBe(
    `${others}127.0.0.1\tapi.datadoghq.com\t# added by dogwatch s1\n::1\tapi.datadoghq.com\t# added by dogwatch s1\n`,
  );
  await removeHosts("s2", file);
  expect(text()).toContain("# added by dogwatch s1");
  await addHosts({ ...names, session: "s2" }, file);
  expect(text()).not.toContain("s1");
  await removeHosts("s2", file);
  expect(text()).toBe(others);
});

test("a last line without an end stays a line", async () => {
  writeFileSync(file, "127.0.0.1 localhost");
  await addHosts(names, file);
  expect(text().split("\n")[0]).toBe("127.0.0.1 localhost");
});

test("at no moment, and for whoever is killed in it, is anything of others away; the file stays the same one, as a mount needs it", async () => {
  const { ino } = statSync(file);
  const state = { changing: true };
  const change = async (): Promise<void> => {
    for (let round = 0; round < 100; round++) {
      await addHosts(names, file);
      await removeHosts(names.session, file);
    }
    state.changing = false;
  };
  const look = async (): Promise<void> => {
    while (state.changing) {
      expect(text().startsWith(others)).toBe(true);
      await new Promise(setImmediate);
    }
  };
  await Promise.all([change(), look()]);
  expect(statSync(file).ino).toBe(ino);
});
