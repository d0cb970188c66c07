/** Joins the listener and Fastify, which sees the gateway's own API and pages only. */

import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { type ListenerParts, createListener } from "./listener.ts";
import { watchConnections } from "./stop.ts";

export type ServerParts = ListenerParts & { readonly log: FastifyBaseLogger };

export function createGatewayServer(parts: ServerParts): FastifyInstance {
  const app = Fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
    bodyLimit: 1024 * 1024,
    serverFactory: (handler) => {
      const server = createListener(parts, handler);
      watchConnections(server);
      return server;
    },
    // The listener answers what cannot be parsed.
    clientErrorHandler: () => undefined,
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ errors: ["Not found"] }));
  return app;
}
