/** Makes Datadog's names lead to this machine in /etc/hosts, with tagged lines that can be taken back. */

import { readFile, writeFile } from "node:fs/promises";

export const hostsFile = "/etc/hosts";

const tag = "# added by dogwatch";

const without = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !line.endsWith(tag))
    .join("\n");

/** Replaces lines that an earlier relay left. Written in place: in containers the file is a mount and cannot be renamed over. */
export const addHosts = async (hosts: readonly string[], addresses: readonly string[]): Promise<void> => {
  const text = without(await readFile(hostsFile, "utf8"));
  const lines = addresses.flatMap((address) => hosts.map((host) => `${address}\t${host}\t${tag}\n`));
  await writeFile(hostsFile, `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${lines.join("")}`);
};

/** True when there was something to take back. */
export const removeHosts = async (): Promise<boolean> => {
  const text = await readFile(hostsFile, "utf8");
  const clean = without(text);
  if (clean === text) return false;
  await writeFile(hostsFile, clean);
  return true;
};
