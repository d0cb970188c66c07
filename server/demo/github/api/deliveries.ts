/** The App's deliveries: what was sent, what came back, and sending it again. */

import type { Delivery } from "../deliveries.ts";
import { time } from "../ids.ts";
import { anywhere } from "./handler.ts";
import type { OperationId } from "./operations.ts";
import { sizeOf } from "./pages.ts";
import { type Call, type Reply, notFound, ok, refusal } from "./reply.ts";

export const deliveryHandlers = {
  "apps/list-webhook-deliveries": anywhere((call) => listDeliveries(call)),
  "apps/get-webhook-delivery": anywhere((call) => {
    const delivery = findDelivery(call);
    return delivery === null ? notFound : ok(deliveryJson(delivery));
  }),
  "apps/redeliver-webhook-delivery": anywhere((call) => {
    const delivery = findDelivery(call);
    if (delivery === null) return notFound;
    call.world.deliveries.redeliver(delivery);
    return { status: 202, body: {} };
  }),
} as const satisfies Partial<Record<OperationId, unknown>>;

/** Newest first; those under way are not there yet. */
const listed = ({ world, caller }: Call): readonly Delivery[] =>
  world.deliveries.all
    .filter(({ app, status_code }) => caller.kind === "app" && caller.app === app && status_code !== null)
    .toReversed();

const findDelivery = (call: Call): Delivery | null =>
  listed(call).find(({ id }) => id === call.params["delivery_id"]) ?? null;

/** By cursor: a page begins after the delivery that the one before ended with. */
function listDeliveries(call: Call): Reply {
  const { query, address } = call;
  const { cursor, status } = query;
  const deliveries = listed(call).filter(
    (delivery) => status === undefined || (status === "success") === isGood(delivery),
  );
  const begin = cursor === undefined ? 0 : deliveries.findIndex(({ id }) => `v1_${id}` === cursor) + 1;
  if (cursor !== undefined && begin === 0) return refusal(400, "Invalid cursor");
  const page = deliveries.slice(begin, begin + sizeOf(query));
  const last = page.at(-1);
  const body = page.map(itemJson);
  if (last === undefined || begin + page.length >= deliveries.length) return ok(body);
  const next = new URLSearchParams({ ...query, cursor: `v1_${last.id}` });
  return { status: 200, body, headers: { link: `<${address}?${next.toString()}>; rel="next"` } };
}

const isGood = ({ status_code }: Delivery): boolean => status_code !== null && status_code >= 200 && status_code < 400;

const itemJson = (delivery: Delivery): object => ({
  id: BigInt(delivery.id),
  guid: delivery.guid,
  delivered_at: time(delivery.delivered_at),
  redelivery: delivery.redelivery,
  duration: 0.1,
  status: statusOf(delivery),
  status_code: delivery.status_code ?? 0,
  event: delivery.event,
  action: delivery.action,
  installation_id: delivery.installation.id,
  repository_id: delivery.repository_id,
  throttled_at: null,
});

const statusOf = (delivery: Delivery): string => {
  if (isGood(delivery)) return "OK";
  if (delivery.status_code === 502) return "failed to connect to host";
  return delivery.status_code === 504 ? "timed out" : `Invalid HTTP Response: ${delivery.status_code}`;
};

const deliveryJson = (delivery: Delivery): object => ({
  ...itemJson(delivery),
  url: delivery.app.webhook_url ?? "",
  request: { headers: delivery.headers, payload: JSON.parse(delivery.payload) as object },
  response: { headers: {}, payload: null },
});
