/** A gateway before a sandbox Datadog, with sessions that change things there and people who undo them. */

import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { TokenAnswer, UndoJson, UndoStepJson } from "../../../server/contract.ts";
import { type Received, send } from "../../standins/send.ts";
import { auditorToken, startWorld, type World, type WorldOptions } from "../../standins/world.ts";

export const adminToken = "admin-token-of-the-tests-0123456789";
export const secondToken = "second-admin-token-of-the-tests-0123456789";
export const viewerToken = "viewer-token-of-the-tests-0123456789";

/** JSON as a test reads it. */
export type Loose = ReturnType<typeof JSON.parse>;

export type UndoScene = World & {
  readonly sandbox: ListeningSandbox;
  /** Straight at the sandbox, as somebody who does not pass the gateway. */
  datadog(method: string, path: string, body?: unknown): Promise<Loose>;
  /** As whoever holds this session's token; the answer's JSON. */
  call(session: TokenAnswer, method: string, path: string, body?: unknown): Promise<Loose>;
  plan(id: string, token?: string): Promise<UndoJson>;
  apply(id: string, token?: string): Promise<UndoJson>;
  /** The same with whatever is answered. */
  ask(method: string, id: string, token?: string): Promise<{ readonly status: number; readonly text: string }>;
};

const tokens = `[{ name: tests, role: auditor, token: ${auditorToken} }, { name: boss, role: admin, token: ${adminToken} }, { name: second, role: admin, token: ${secondToken} }, { name: looker, role: viewer, token: ${viewerToken} }]`;

export async function startUndo(options: WorldOptions = {}): Promise<UndoScene> {
  const sandbox = await createSandbox({ clock: () => new Date() }).listen();
  const world = await startWorld(() => ({ status: 500 }), {
    tokens,
    ...options,
    instead: { endpoint: sandbox.url, ...options.instead },
  });
  return {
    ...world,
    ...undoing(world.url, sandbox.url),
    sandbox,
    close: () => world.close().then(() => sandbox.close()),
  };
}

/** What a test does with a gateway and a Datadog, wherever they run. */
export const undoing = (
  gateway: string,
  datadogUrl: string,
): Pick<UndoScene, "datadog" | "call" | "plan" | "apply" | "ask"> => {
  const ask: UndoScene["ask"] = async (method, id, token = adminToken) => {
    const answer = await fetch(`${gateway}/v1/sessions/${id}/undo`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: answer.status, text: await answer.text() };
  };
  const undo = async (method: string, id: string, token?: string): Promise<UndoJson> => {
    const { status, text } = await ask(method, id, token);
    if (status !== 200) throw new Error(`${method} undo: ${status} ${text}`);
    return JSON.parse(text) as UndoJson;
  };
  return {
    datadog: async (method, path, body) =>
      loose(
        await sendTo(datadogUrl, {
          method,
          path,
          body,
          keys: [
            ["DD-API-KEY", "k"],
            ["DD-APPLICATION-KEY", "a"],
          ],
        }),
      ),
    call: async ({ access_token }, method, path, body) =>
      loose(await sendTo(gateway, { method, path, body, keys: [["DD-API-KEY", access_token]] })),
    ask,
    plan: (id, token) => undo("GET", id, token),
    apply: (id, token) => undo("POST", id, token),
  };
};

type Sending = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly keys: readonly (readonly [string, string])[];
};

const sendTo = (url: string, { method, path, body, keys }: Sending): Promise<Received> =>
  send(url, {
    method,
    target: path,
    headers: [...keys, ...(body === undefined ? [] : ([["Content-Type", "application/json"]] as const))],
    ...(body === undefined ? {} : { body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) }),
  });

const loose = ({ body, status }: Received): Loose => {
  const text = body.toString();
  try {
    return text === "" ? { status } : JSON.parse(text);
  } catch {
    return { status, text };
  }
};

/** Of the write with this number. */
export const stepFor = ({ steps }: UndoJson, n: number): UndoStepJson => {
  const found = steps.find((step) => step.n === n);
  if (found === undefined) throw new Error(`no step for call ${n}`);
  return found;
};

export const aMonitor = {
  name: "Checkout latency p99",
  type: "query alert",
  query: "avg(last_5m):avg:checkout.latency{env:prod} > 2",
  message: "Slow checkout",
  tags: ["team:checkout"],
  priority: 2,
  options: { thresholds: { critical: 2, warning: 1.5 } },
};

export const aDashboard = {
  title: "Checkout",
  layout_type: "ordered",
  widgets: [{ definition: { type: "note", content: "hello" } }],
};

export const aDowntime = {
  data: {
    type: "downtime",
    attributes: { scope: "env:prod", monitor_identifier: { monitor_tags: ["team:checkout"] }, message: "deploying" },
  },
};

export const anSlo = (monitor: number) => ({
  name: "Checkout works",
  type: "monitor",
  monitor_ids: [monitor],
  thresholds: [{ timeframe: "30d", target: 99.9 }],
  tags: ["team:checkout"],
});

/** Without ids and times. */
export const alike = (value: Loose): Loose => {
  if (Array.isArray(value)) return value.map(alike);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !/^(id|uuid|url|start|created|created_at|modified|modified_at)$/.test(name))
      .map(([name, member]) => [name, alike(member)]),
  );
};
