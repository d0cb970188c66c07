/** Makes Datadog's names lead to this machine in /etc/hosts, with tagged lines that can be taken back. */

import { readFile, writeFile } from "node:fs/promises";

export const hostsFile = "/etc/hosts";

const tag = "# added by dogwatch";

/** Whose lines they are: two jobs may share a machine, one after the other. */
const tagOf = (session: string): string => `${tag} ${session}`;

const without = (text: string, isToGo: (line: string) => boolean): string =>
  text
    .split("\n")
    .filter((line) => !isToGo(line))
    .join("\n");

export type Names = {
  readonly session: string;
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
};

/** Replaces lines that an earlier relay left. Written in place: in containers the file is a mount and cannot be renamed over. */
export const addHosts = async ({ session, hosts, addresses }: Names): Promise<void> => {
  const text = without(await readFile(hostsFile, "utf8"), (line) => line.includes(tag));
  const lines = addresses.flatMap((address) => hosts.map((host) => `${address}\t${host}\t${tagOf(session)}\n`));
  await writeFile(hostsFile, `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${lines.join("")}`);
};

/** Those of this session. */
export const removeHosts = async (session: string): Promise<void> => {
  const text = await readFile(hostsFile, "utf8");
  const clean = without(text, (line) => line.endsWith(tagOf(session)));
  if (clean !== text) await writeFile(hostsFile, clean);
};
