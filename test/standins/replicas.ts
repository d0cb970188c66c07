/**
 * A gateway as its callers see it. With DOGWATCH_TEST_REPLICAS=2 it is two on one database, and every new connection goes to the other one, so
 * that a session and its approvals move between them all the time.
 */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Gateway, type GatewayOptions, startGateway } from "../../server/app.ts";

export const startReplicas = async (options: GatewayOptions): Promise<Gateway> => {
  const first = await startGateway(options);
  if (process.env["DOGWATCH_TEST_REPLICAS"] !== "2") return first;
  const second = await startGateway(options).catch(async (error: unknown) => {
    await first.close();
    throw error;
  });
  const balancer = await balance([first, second].map(({ url }) => Number(new URL(url).port)));
  return {
    url: balancer.url,
    config: first.config,
    invite: (name, to) => first.invite(name, to),
    close: async () => {
      await Promise.all([first.close(), second.close()]);
      await balancer.close();
    },
  };
};

type Balancer = { readonly url: string; close(): Promise<void> };

const balance = async (ports: readonly number[]): Promise<Balancer> => {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port: ports[turn++ % ports.length] ?? 0, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        if (one.errored !== null || !one.readableEnded) other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
};
