/** A port for who must know it before somebody listens there: none of those that the system gives away, so that it stays free meanwhile. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Below it are those of programs, from it on the system's own choice: to whoever listens at any port, and to every connection that begins here. */
const firstGivenAway = (): number => {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    // Where it is usual to follow RFC 6335.
    return 49_152;
  }
};

const firstOfPrograms = 10_000;

export const freePort = async (): Promise<number> => {
  const choice = firstGivenAway() - firstOfPrograms;
  if (choice < 1_000) return tried(0);
  for (;;) {
    const port = await tried(firstOfPrograms + Math.floor(Math.random() * choice)).catch(() => null);
    if (port !== null) return port;
  }
};

/** @throws when somebody listens there */
const tried = async (wanted: number): Promise<number> => {
  const probe = createServer().listen(wanted, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : wanted;
};
