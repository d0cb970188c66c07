/** What the built-in Datadog holds when the sample job comes: a team's monitors and dashboard, and the logs of an incident. */

import { z } from "zod";

type Keys = { readonly apiKey: string; readonly appKey: string };

const monitors = [
  {
    name: "Checkout errors",
    type: "log alert",
    query: 'logs("service:checkout status:error").index("*").rollup("count").last("5m") > 100',
    message: "Checkout fails for customers. @pagerduty-checkout",
    tags: ["service:checkout", "team:payments"],
  },
  {
    name: "Payment provider unreachable",
    type: "metric alert",
    query: "sum(last_5m):sum:payments.provider.timeouts{env:prod} > 20",
    message: "The provider does not answer. @slack-payments",
    tags: ["service:payments", "team:payments"],
  },
  {
    name: "Checkout latency average",
    type: "metric alert",
    query: "avg(last_5m):avg:checkout.latency{env:prod} > 1",
    message: "Checkout is slow. @slack-checkout",
    tags: ["service:checkout", "team:payments"],
  },
];

const dashboard = {
  title: "Checkout",
  layout_type: "ordered",
  widgets: [{ definition: { type: "note", content: "Errors, latency, payments" } }],
};

const logs = ["deadlock on table orders", "provider timed out after 3000 ms", "provider timed out after 3000 ms"].map(
  (message, at) => ({
    message,
    status: "error",
    service: "checkout",
    hostname: `checkout-${at + 1}`,
    ddsource: "nodejs",
    ddtags: "env:prod",
  }),
);

const named = z.array(z.object({ name: z.string() }));
const titled = z.object({ dashboards: z.array(z.object({ title: z.string() })) });

/** What is there already stays: an earlier job has taken some of it away. */
export async function furnish(sandbox: string, { apiKey, appKey }: Keys): Promise<void> {
  const headers = { "content-type": "application/json", "dd-api-key": apiKey, "dd-application-key": appKey };
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(`${sandbox}${path}`, { headers, ...sent });
    if (!answer.ok) throw new Error(`the sandbox refused ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const known = named.parse(await ask("/api/v1/monitor")).map(({ name }) => name);
  if (known.length === 0) await ask("/api/v2/logs", logs);
  for (const monitor of monitors) if (!known.includes(monitor.name)) await ask("/api/v1/monitor", monitor);
  const { dashboards } = titled.parse(await ask("/api/v1/dashboard"));
  if (!dashboards.some(({ title }) => title === dashboard.title)) await ask("/api/v1/dashboard", dashboard);
}
