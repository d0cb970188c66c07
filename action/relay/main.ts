/** The relay's own process: started by `main`, told everything over stdin, ended by `post`; logs to stderr, which is a file. */

import { text } from "node:stream/consumers";
import { closeSession, explain, openSession } from "../gateway.ts";
import { fromGitHub } from "../identity.ts";
import { logTo } from "../log.ts";
import { createNetwork } from "../network.ts";
import { removeHosts } from "./hosts.ts";
import { openRelay } from "./open.ts";
import { systemClock } from "./session.ts";
import { type Ready, setup, type Setup } from "./setup.ts";
import { tellInLog } from "./tell.ts";

const log = logTo(process.stderr);
/** For calls in flight once the relay was told to end, milliseconds. */
const patience = 10_000;

const serve = async (told: Setup): Promise<Ready> => {
  const network = createNetwork(told.proxies);
  const gateway = { url: new URL(told.gateway), network };
  const { audience } = told.identity;
  const mint = fromGitHub(told.identity, audience, network);
  const { connection, session_id: session } = told.opened;
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    log("the relay ends");
    void relay.close(patience).then(() => process.exit(0));
  };
  /** No `post` will come: what waits for a person is called off with the session. */
  const abandon = async () => {
    if (ending) return;
    ending = true;
    log("the relay is ended by a signal, and closes the session");
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
    onStop: end,
  });
  if (told.user) dropRights(told.user);
  process.on("SIGTERM", () => void abandon());
  // The step that started the relay is over while the relay lives on: its terminal's signals are not for the relay.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  return { url: relay.url, pid: process.pid, certificate: relay.certificate };
};

/** Root was needed for port 443 and the hosts file only. */
const dropRights = ({ uid, gid }: NonNullable<Setup["user"]>): void => {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
};

const say = (message: Ready): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve()));

if (process.argv[2] === "restore-hosts") {
  await removeHosts();
} else {
  try {
    await say(await serve(setup.parse(JSON.parse(await text(process.stdin)))));
  } catch (error) {
    await say({ problem: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}
