/** Makes Datadog's names lead to this machine in /etc/hosts, with tagged lines that can be taken back. */

import { type FileHandle, open } from "node:fs/promises";

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

/** Replaces lines that an earlier relay left. */
export const addHosts = ({ session, hosts, addresses }: Names, file = hostsFile): Promise<void> =>
  rewrite(file, (before) => {
    const text = without(before, (line) => line.includes(tag));
    const lines = addresses.flatMap((address) => hosts.map((host) => `${address}\t${host}\t${tagOf(session)}\n`));
    return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${lines.join("")}`;
  });

/** Those of this session. */
export const removeHosts = (session: string, file = hostsFile): Promise<void> =>
  rewrite(file, (before) => without(before, (line) => line.endsWith(tagOf(session))));

/** In place: in containers the file is a mount and cannot be renamed over. What others wrote is there all the time: whoever is killed, or finds the disk full, leaves it. */
const rewrite = async (path: string, change: (before: string) => string): Promise<void> => {
  const file = await open(path, "r+");
  try {
    const before = await file.readFile("utf8");
    const after = change(before);
    if (after === before) return;
    await put(file, after).catch(async (error: unknown) => {
      await put(file, before);
      throw error;
    });
  } finally {
    await file.close();
  }
};

const put = async (file: FileHandle, text: string): Promise<void> => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
  await file.truncate(bytes.length);
};
