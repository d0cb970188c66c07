/** What GitHub tried to deliver to the App's webhook: how a button is heard whose delivery was lost. */

import { z } from "zod";
import type { Delivery, Heard } from "../model/github.ts";
import type { App } from "./app.ts";
import { readDelivery } from "./heard.ts";
import { listPages } from "./pages.ts";
import { read, refusal } from "./refusal.ts";
import type { Answer, Ask } from "./send.ts";
import { digits, wholeSecond } from "./shapes.ts";

/** 2,000 deliveries. GitHub keeps them for days. */
const mostPages = 20;

const delivery = z.object({
  id: digits,
  guid: z.string(),
  event: z.string(),
  action: z.string().nullish(),
  delivered_at: z.string().transform((text) => new Date(text)),
});

const stored = z.object({
  event: z.string(),
  request: z.object({ payload: z.unknown() }),
});

export class Deliveries {
  readonly #app: App;
  constructor(app: App) {
    this.#app = app;
  }

  async deliveries(since: Date): Promise<readonly Delivery[]> {
    const from = wholeSecond(since);
    const ask: Ask = {
      kind: "read",
      route: "GET /app/hook/deliveries",
      parameters: {},
      doing: "list the App's deliveries",
    };
    const { items } = await listPages({
      name: "cursor",
      most: mostPages,
      ask: (page) => this.#app.ask({ ...ask, parameters: page }),
      read: (answer: Answer) => {
        if (answer.status !== 200) throw refusal(answer, ask, null);
        return read(z.array(delivery), answer, ask);
      },
      enough: (page) => page.some(({ delivered_at }) => delivered_at < from),
    });
    return items
      .filter(({ delivered_at }) => delivered_at >= from)
      .map(({ action, ...told }) => ({ ...told, action: action ?? null }));
  }

  async delivery(delivery_id: string): Promise<Heard | null> {
    const ask: Ask = {
      kind: "read",
      route: "GET /app/hook/deliveries/{delivery_id}",
      parameters: { delivery_id },
      doing: `read delivery ${delivery_id} of the App`,
    };
    const answer = await this.#app.ask(ask);
    // GitHub keeps them for some days only.
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refusal(answer, ask, null);
    const { event, request } = read(stored, answer, ask);
    return readDelivery(event, request.payload, this.#app.id);
  }
}
