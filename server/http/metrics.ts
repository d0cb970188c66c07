/** Counts and times of calls for Prometheus; labels come from closed sets, never from a request. */

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { CallOutcome } from "../journeys/call/parts.ts";
import type { SealHealth } from "../journeys/seal/sealer.ts";

export type Metrics = {
  readonly registry: Registry;
  observe(outcome: CallOutcome): void;
};

/** `inFlight`: calls that have begun and not ended. */
export function createMetrics(inFlight: () => number, seals: () => SealHealth): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const calls = new Counter({
    name: "dogwatch_calls_total",
    help: "Calls by access class, decision and outcome (an error code, or the class of the status).",
    labelNames: ["access", "effect", "outcome"],
    registers,
  });
  const seconds = new Histogram({
    name: "dogwatch_call_seconds",
    help: "From the first byte of a call to the closing of its receipt.",
    labelNames: ["access"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const flying = new Gauge({
    name: "dogwatch_calls_in_flight",
    help: "Calls that have begun and not ended.",
    registers: [],
    collect() {
      this.set(inFlight());
    },
  });
  registry.registerMetric(flying);
  for (const gauge of sealGauges(seals)) registry.registerMetric(gauge);
  return {
    registry,
    observe: ({ operation, effect, status, code, seconds: took }) => {
      calls.inc({
        access: operation.access,
        effect,
        outcome: code ?? (status === null ? "none" : `${Math.floor(status / 100)}xx`),
      });
      seconds.observe({ access: operation.access }, took);
    },
  };
}

const sealGauges = (seals: () => SealHealth): Gauge[] => {
  const gauge = (name: string, help: string, value: (health: SealHealth) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(value(seals()));
      },
    });
  return [
    gauge("dogwatch_log_size", "Seals in the log, as this gateway saw it last.", ({ size }) => size),
    gauge(
      "dogwatch_log_consistent",
      "0 while the log in the database contradicts what was signed: nothing is signed then.",
      ({ consistent }) => (consistent ? 1 : 0),
    ),
    gauge(
      "dogwatch_sessions_unsealable",
      "Sessions that this gateway could not seal because their recordings contradict themselves.",
      ({ unsealable }) => unsealable,
    ),
  ];
};
