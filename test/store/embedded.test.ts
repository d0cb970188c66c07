/** The embedded database survives what people and kernels do to it, whoever runs it. */

import { spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../../server/store/database.ts";
import { startEmbedded } from "../../server/store/embedded.ts";
import { quietLog } from "../standins/database.ts";
import { scratchFolder } from "../standins/scratch.ts";
import { type Child, startChild } from "./child.ts";
import { opening, openSession } from "./specimens.ts";

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

let dataDir: string;
/** Programs that are found before the system's. Not in memory: nothing is executed there. */
let bin: string;
let children: Child[];

beforeEach(async () => {
  dataDir = scratchFolder("dogwatch-embedded-");
  bin = await mkdtemp(join(tmpdir(), "dogwatch-bin-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) await child.end("SIGKILL");
  const pid = await postmaster().catch(() => null);
  if (pid !== null && alive(pid)) {
    process.kill(pid, "SIGQUIT");
    while (alive(pid)) await sleep(20);
  }
  for (const folder of [dataDir, bin]) await rm(folder, { recursive: true, force: true });
});

const postmaster = async (): Promise<number> =>
  Number((await readFile(join(dataDir, "postgres/cluster/postmaster.pid"), "utf8")).split("\n")[0]);

/** A process whose parent has not asked for its end yet is none any more, although it still has its number. */
const alive = (pid: number): boolean => {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== "";
  } catch {
    return false;
  }
};

type Who = {
  readonly name: string;
  readonly options: object;
  readonly prepare: () => Promise<unknown>;
  readonly runs: boolean;
};

const withoutNamespaces = async (): Promise<void> => {
  await writeFile(join(bin, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  for (const folder of [dataDir, bin]) await chmod(folder, 0o755);
};

const users: Who[] = [
  { name: "this user", options: {}, prepare: async () => undefined, runs: true },
  {
    name: "a plain user",
    options: { uid: nobody, gid: nobody },
    prepare: () => chown(dataDir, nobody, nobody),
    runs: isRoot,
  },
  {
    name: "root where user namespaces are forbidden",
    options: {
      get env() {
        return { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
      },
    },
    prepare: withoutNamespaces,
    runs: isRoot,
  },
];

const start = async (options: object = {}): Promise<Child> => {
  const child = await startChild(["embedded", dataDir], options);
  children.push(child);
  return child;
};

describe.each(users)("as $name", ({ options, prepare, runs }) => {
  test.runIf(runs)(
    "a gateway that was killed leaves a server that the next one adopts, with everything in it",
    async () => {
      await prepare();
      const first = await start(options);
      expect(first.said.error).toBeUndefined();
      const server = await postmaster();
      await first.end("SIGKILL");
      expect(alive(server)).toBe(true);
      const second = await start(options);
      expect(second.said.error).toBeUndefined();
      expect(await postmaster()).toBe(server);
      const store = await openStore({
        connectionString: second.said.connectionString ?? "",
        log: quietLog,
        clock: () => new Date(),
      });
      expect(await store.sessions.get(first.said.session ?? "")).toMatchObject({ calls: 20 });
      await store.close();
      await second.end("SIGTERM");
      expect(alive(server)).toBe(false);
      const third = await start(options);
      expect(third.said.error).toBeUndefined();
      await third.end("SIGTERM");
    },
  );
});

test("a server that is killed is started again, and what was committed is there", async () => {
  const embedded = await startEmbedded({ dataDir, log: quietLog });
  const store = await openStore({
    connectionString: embedded.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  const { id } = await openSession(store.sessions);
  const call = await store.sink.open(opening(id));
  const killed = await postmaster();
  process.kill(killed, "SIGKILL");
  const open = () =>
    store.sink.open(opening(id)).then(
      ({ n }) => n,
      () => null,
    );
  // What the killed one has left behind may serve for a moment more.
  await expect.poll(() => postmaster().catch(() => killed), { interval: 100 }).not.toBe(killed);
  await expect.poll(open, { interval: 100 }).toBeGreaterThan(call.n);
  expect((await store.receipts.call(id, call.n))?.state).toBe("open");
  await store.close();
  await embedded.stop();
});

test("a start that cannot come to its server leaves none running", async () => {
  await (await startEmbedded({ dataDir, log: quietLog })).stop();
  await writeFile(join(dataDir, "postgres/password"), "another one than the server has");
  await expect(startEmbedded({ dataDir, log: quietLog, readyWithin: 1_000 })).rejects.toThrow(
    /^the embedded PostgreSQL in .* does not start:\n/,
  );
  expect(await postmaster().catch(() => null)).toBeNull();
});

test("two gateways in one folder: the second is told the process id of the first", async () => {
  const [one, two] = await Promise.all([start(), start()]);
  const errors = [one, two].flatMap(({ said }) => (said.error === undefined ? [] : [said.error]));
  const winner = one.said.error === undefined ? one : two;
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(`another gateway (process ${winner.process.pid})`);
});

test("what is left of a start that was killed, and a pid that is another process's by now, hinder nobody", async () => {
  const draft = join(dataDir, "postgres", "cluster.new-4194304");
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, "PG_VERSION"), "18\n");
  await (await startEmbedded({ dataDir, log: quietLog })).stop();
  const pidFile = join(dataDir, "postgres/cluster/postmaster.pid");
  const stranger = spawn("sleep", ["60"]);
  await writeFile(pidFile, `${stranger.pid}\n${join(dataDir, "postgres/cluster")}\n1\n5432\n\n\n\n\n`);
  await (await startEmbedded({ dataDir, log: quietLog })).stop();
  expect(stranger.exitCode).toBeNull();
  stranger.kill();
  expect((await readdir(join(dataDir, "postgres"))).filter((name) => name.includes("new"))).toEqual([]);
});

test.runIf(isRoot)("a plain user who meets root's database is told whose it is", async () => {
  await (await startEmbedded({ dataDir, log: quietLog })).stop();
  await chown(dataDir, nobody, nobody);
  const child = await start({ uid: nobody, gid: nobody });
  expect(child.said.error).toMatch(/belongs to another user \(uid 0\)/);
});

test("a folder with a path too long for a socket serves as well", async () => {
  const deep = join(dataDir, "long".repeat(20), "longer".repeat(20));
  const embedded = await startEmbedded({ dataDir: deep, log: quietLog });
  const store = await openStore({
    connectionString: embedded.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  await openSession(store.sessions);
  await store.close();
  await embedded.stop();
});

test("the server listens on no network, knows nothing of our environment, and closes its folder to others", async () => {
  const marker = "credential-in-the-environment";
  await start({ env: { ...process.env, DD_API_KEY: marker } });
  const server = await postmaster();
  expect(await readFile(`/proc/${server}/environ`, "utf8")).not.toContain(marker);
  expect(await readFile(`/proc/${server}/cmdline`, "utf8")).toContain("listen_addresses=\0");
  for (const name of ["postgres", "postgres/cluster", "postgres/socket"])
    expect((await stat(join(dataDir, name))).mode & 0o077).toBe(0);
  expect((await stat(join(dataDir, "postgres/password"))).mode & 0o777).toBe(0o600);
});
