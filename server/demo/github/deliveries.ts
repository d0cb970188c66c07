/** Webhook deliveries: signed, sent, lost, repeated, held back, and listed. */

import { createHmac, randomUUID } from "node:crypto";
import type { Happening } from "./happenings.ts";
import type { Ids } from "./ids.ts";
import type { App, Installation } from "./state.ts";

export type Delivery = {
  /** In digits: GitHub's are larger than a JavaScript number can tell apart. */
  readonly id: string;
  /** The same for every attempt to deliver the same thing. */
  readonly guid: string;
  readonly app: App;
  readonly installation: Installation;
  readonly repository_id: number | null;
  readonly event: Happening["event"];
  readonly action: string;
  readonly redelivery: boolean;
  readonly delivered_at: Date;
  readonly headers: Readonly<Record<string, string>>;
  /** The exact bytes that were signed. */
  readonly payload: string;
  /** What came back, or what GitHub writes when nothing did: 502, 504. Null while it is under way or held. */
  status_code: number | null;
};

export type Which = { readonly event?: Delivery["event"]; readonly action?: string };

export type Letter = {
  readonly event: Delivery["event"];
  readonly action: string;
  readonly installation: Installation;
  readonly repository_id: number | null;
  readonly body: object;
};

/** GitHub waits this long for an answer, ms. */
const patience = 10_000;

export class Deliveries {
  readonly #ids: Ids;
  readonly #clock: () => Date;
  readonly #all: Delivery[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #losing: { readonly which: Which; times: number }[] = [];
  #holding: Which[] = [];
  #held: Delivery[] = [];

  constructor(ids: Ids, clock: () => Date) {
    this.#ids = ids;
    this.#clock = clock;
  }

  /** In the order in which they were made, lost and held ones too. */
  get all(): readonly Delivery[] {
    return this.#all;
  }

  /** They do not arrive, and GitHub lists them as failed. Default: all of them, from now on. */
  lose({ times = Number.POSITIVE_INFINITY, ...which }: Which & { readonly times?: number } = {}): void {
    this.#losing.push({ which, times });
  }

  /** They wait until they are released. */
  hold(which: Which = {}): void {
    this.#holding.push(which);
  }

  /** Those that were held arrive one after the other. From now on all arrive as they come, and nothing is lost any more. */
  async release(order: "as they came" | "reversed" = "as they came"): Promise<void> {
    const held = order === "reversed" ? this.#held.toReversed() : this.#held;
    this.#held = [];
    this.#holding = [];
    this.#losing = [];
    for (const delivery of held) await this.#track(this.#post(delivery));
  }

  /** The very same bytes once more, as somebody who listened would send them; what came back. */
  repeat(delivery: Delivery): Promise<number> {
    return this.#track(this.#send(delivery));
  }

  /** Until everything that is neither lost nor held has been answered. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  send({ event, action, installation, repository_id, body }: Letter): void {
    const { app } = installation;
    const payload = JSON.stringify(body);
    const delivery: Delivery = {
      id: this.#ids.delivery(),
      guid: randomUUID(),
      app,
      installation,
      repository_id,
      event,
      action,
      redelivery: false,
      delivered_at: this.#clock(),
      headers: {},
      payload,
      status_code: null,
    };
    this.#dispatch({ ...delivery, headers: headersOf(delivery) });
  }

  /** As its `attempts` are asked for: under another id, with the same guid. */
  redeliver(delivery: Delivery): void {
    const again = { id: this.#ids.delivery(), redelivery: true, delivered_at: this.#clock(), status_code: null };
    this.#dispatch({ ...delivery, ...again });
  }

  close(): void {
    this.#closing.abort();
  }

  #dispatch(delivery: Delivery): void {
    this.#all.push(delivery);
    const losing = this.#losing.find(({ which, times }) => times > 0 && fits(delivery, which));
    if (losing !== undefined) {
      losing.times -= 1;
      delivery.status_code = 502;
    } else if (this.#holding.some((which) => fits(delivery, which))) {
      this.#held.push(delivery);
    } else void this.#track(this.#post(delivery));
  }

  async #post(delivery: Delivery): Promise<void> {
    delivery.status_code = await this.#send(delivery);
  }

  async #send({ app, headers, payload }: Delivery): Promise<number> {
    if (app.webhook_url === null) return 502;
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(patience)]);
      const answer = await fetch(app.webhook_url, {
        method: "POST",
        headers,
        body: payload,
        redirect: "manual",
        signal,
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch (error) {
      return error instanceof DOMException && error.name === "TimeoutError" ? 504 : 502;
    }
  }

  #track<T>(sending: Promise<T>): Promise<T> {
    this.#underWay.add(sending);
    void sending.finally(() => this.#underWay.delete(sending));
    return sending;
  }
}

const fits = (delivery: Delivery, { event, action }: Which): boolean =>
  (event === undefined || delivery.event === event) && (action === undefined || delivery.action === action);

/** @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers */
const headersOf = ({ app, event, guid, payload }: Delivery): Record<string, string> => ({
  "content-type": "application/json",
  "user-agent": "GitHub-Hookshot/dogwatch",
  "x-github-event": event,
  "x-github-delivery": guid,
  "x-github-hook-id": String(app.id),
  "x-github-hook-installation-target-id": String(app.id),
  "x-github-hook-installation-target-type": "integration",
  "x-hub-signature": `sha1=${sign("sha1", app, payload)}`,
  "x-hub-signature-256": `sha256=${sign("sha256", app, payload)}`,
});

const sign = (algorithm: "sha1" | "sha256", app: App, payload: string): string =>
  createHmac(algorithm, app.webhook_secret).update(payload).digest("hex");
