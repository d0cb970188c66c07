/** What the built-in Datadog holds when the sample job comes: a team's monitors, and the logs of an incident. */

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
];

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

export async function furnish(sandbox: string, { apiKey, appKey }: Keys): Promise<void> {
  const headers = { "content-type": "application/json", "dd-api-key": apiKey, "dd-application-key": appKey };
  const send = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`${sandbox}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the sandbox refused ${path}: ${answer.status} ${await answer.text()}`);
  };
  for (const monitor of monitors) await send("/api/v1/monitor", monitor);
  await send("/api/v2/logs", logs);
}
