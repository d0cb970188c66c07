/** The relay's own process: started by `main`, told everything over stdin, ended by `post`; logs to stderr, which is a file. */

import { closeSession, explain, openSession } from "../gateway.ts";
import { fromGitHub } from "../identity.ts";
import { restoreHosts } from "../launch.ts";
import { logTo } from "../log.ts";
import { createNetwork } from "../network.ts";
import { removeHosts } from "./hosts.ts";
import { openRelay } from "./open.ts";
import { systemClock } from "./session.ts";
import { kept, type Ready, setup, type Setup } from "./setup.ts";
import { tellInLog } from "./tell.ts";

const log = logTo(process.stderr);
// A full disk, or a step that is gone, must not end the relay.
for (const stream of [process.stderr, process.stdout]) stream.on("error", () => {});
/** For calls in flight once the relay was told to end, milliseconds. */
const patience = 10_000;

type Serving = { readonly ready: Ready; end(why: string): void };

const serve = async (told: Setup): Promise<Serving> => {
  const network = createNetwork(told.proxies);
  const gateway = { url: new URL(told.gateway), network };
  const { audience } = told.identity;
  const mint = fromGitHub(told.identity, audience, network);
  const { connection, session_id: session } = told.opened;
  let ending = false;
  const end = (why: string) => {
    if (ending) return;
    ending = true;
    log(why);
    giveNamesBack(told);
    void relay.close(patience).then(() => process.exit(0));
  };
  /** No `post` will come: what waits for a person is called off with the session. */
  const abandon = async () => {
    if (ending) return;
    ending = true;
    log("the relay is ended by a signal, and closes the session");
    giveNamesBack(told);
    const leave = async () => closeSession(gateway, await relay.token(), session);
    const left = leave().catch((error: unknown) => log(`the session could not be closed: ${explain(error)}`));
    await Promise.all([relay.close(patience), left]);
    process.exit(0);
  };
  const relay = await openRelay({
    gateway,
    opened: told.opened,
    renew: () => openSession(gateway, mint, { audience, connection, session }),
    placeholder: told.placeholder,
    intercept: told.intercept,
    clock: systemClock,
    log,
    approvalTimeout: told.approvalTimeout,
    tell: tellInLog(log, systemClock),
    onStop: () => end("the relay ends"),
  });
  if (told.user) dropRights(told.user);
  process.on("SIGTERM", () => void abandon());
  // The step that started the relay is over while the relay lives on: its terminal's signals are not for the relay.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  return { ready: { url: relay.url, pid: process.pid, certificate: relay.certificate }, end };
};

/** While the port is still this relay's: no other can have taken the names meanwhile. */
const giveNamesBack = ({ intercept, opened }: Setup): void => {
  if (intercept === "hosts" && !restoreHosts(opened.session_id)) log("the hosts file could not be cleaned");
};

/** Root was needed for port 443 and the hosts file only. */
const dropRights = ({ uid, gid }: NonNullable<Setup["user"]>): void => {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
};

const say = (message: Ready): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve()));

/** Line by line; not as readline does it, which takes more for the end of a line than JSON does. */
async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const piece of stream.setEncoding("utf8")) {
    const lines = (rest + String(piece)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

const begin = async (): Promise<void> => {
  const lines = linesOf(process.stdin);
  const told = setup.parse(JSON.parse((await lines.next()).value ?? ""));
  try {
    const { ready, end } = await serve(told);
    await say(ready);
    if ((await lines.next()).value !== kept)
      end("the step that started the relay ended before it was noted: it ends too");
  } catch (error) {
    giveNamesBack(told);
    throw error;
  }
};

const [, , command, session = ""] = process.argv;
if (command === "restore-hosts") {
  await removeHosts(session);
} else {
  try {
    await begin();
  } catch (error) {
    await say({ problem: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}
