/** Opens the relay of one session, with the interception that was asked for. */

import type { TokenAnswer } from "../../server/contract.ts";
import type { Gateway } from "../gateway.ts";
import type { Log } from "../log.ts";
import { createAuthority } from "./authority.ts";
import { addHosts, removeHosts } from "./hosts.ts";
import { type Relay, startRelay } from "./relay.ts";
import { type Clock, keepSession } from "./session.ts";
import type { Teller } from "./tell.ts";
import { createWaits } from "./waits.ts";

/** How clients that know only a site are brought in; `off`: they are not. */
export type Interception = "hosts" | "proxy" | "off";

export type RelayPlan = {
  readonly gateway: Gateway;
  readonly opened: TokenAnswer;
  readonly renew: () => Promise<TokenAnswer>;
  readonly placeholder: string;
  readonly intercept: Interception;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds for which one call may wait for a person. */
  readonly approvalTimeout: number;
  readonly tell: Teller;
  /** The relay was asked to end, or its session is lost. */
  readonly onStop: () => void;
};

export type OpenRelay = {
  readonly url: string;
  /** What clients must trust to be intercepted, PEM. */
  readonly certificate: string;
  /** The session's current token. */
  token(): Promise<string>;
  close(patience: number): Promise<void>;
  /** Takes the names out of the hosts file; needs the rights with which they were put there. */
  restoreHosts(): Promise<void>;
};

export const openRelay = async (plan: RelayPlan): Promise<OpenRelay> => {
  const { gateway, opened, placeholder, clock, log, tell, onStop } = plan;
  const authority = await createAuthority(intercepted(opened.hosts), clock.now);
  const session = keepSession({ opened, renew: plan.renew, clock, log, onLost: onStop });
  const waits = createWaits({ gateway, session, clock, timeout: plan.approvalTimeout, log, tell });
  const relay = await startRelay({ gateway, session, authority, placeholder, waits, log, onStop });
  const close = async (patience: number) => {
    session.stop();
    await relay.close(patience);
  };
  try {
    if (plan.intercept === "hosts") await takeNames(relay, opened);
  } catch (error) {
    await close(0);
    throw error;
  }
  log(`relay of session ${opened.session_id} is at ${relay.url} (intercept: ${plan.intercept})`);
  return {
    url: relay.url,
    certificate: authority.certificate,
    token: session.token,
    close,
    async restoreHosts() {
      if (plan.intercept === "hosts") await removeHosts(opened.session_id);
    },
  };
};

/** The list of Datadog's own addresses is public, and clients ask for it without any key: it is left to itself. */
const intercepted = (hosts: readonly string[]): readonly string[] =>
  hosts.filter((host) => !host.startsWith("ip-ranges."));

/** The port first: whoever has it is the living relay, and its names in the hosts file are not ours to replace. */
const takeNames = async (relay: Relay, { session_id: session, hosts }: TokenAnswer): Promise<void> => {
  const addresses = await relay.listenForNames(["127.0.0.1", "::1"]);
  await addHosts({ session, hosts: intercepted(hosts), addresses });
};
