/** What load balancers and Prometheus ask: alive, ready, and how much of what. */

import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

export type HealthParts = {
  /** Why the gateway cannot take calls now; null when it can. */
  ready(): string | null;
  readonly registry: Registry;
};

export function registerHealth(app: FastifyInstance, parts: HealthParts): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    const reason = parts.ready();
    return reason === null ? { status: "ready" } : reply.code(503).send({ status: "not ready", reason });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(parts.registry.contentType).send(await parts.registry.metrics()),
  );
}
