/** Answers as Datadog did, from a recording: what was recorded, in its order, and of anything else what it is closest to. */

import type { Catalogue } from "../../datadog/catalogue.ts";
import type { Refusal } from "../../errors.ts";
import type { MaskSet } from "../../stages/mask/masking.ts";
import { type Address, addressOf, type Arrived } from "./address.ts";
import { Nearby } from "./closest.ts";
import { readComparable, type WrittenBody } from "./comparable.ts";
import { hide, hidingOf } from "./hidden.ts";
import { type Likeness, likenesses } from "./keys.ts";
import { type Elsewhen, Order } from "./order.ts";
import type { Indexed, Recording, Wanted } from "./recording.ts";
import { type Reply, replyFrom } from "./reply.ts";
import { sayElsewhen, sayUnanswered, sayUnrecorded, shownPath } from "./say.ts";

/** No Datadog client repeats a 403, and none takes it for "there is no such thing". */
const refusedStatus = 403;

export type RefusedCode = "not_recorded" | "recorded_later" | "recorded_earlier" | "answer_not_recorded";

/** A request that was not answered as Datadog would have. `n`: of the recorded call that it is, or is closest to. */
export type Unanswered = { readonly code: RefusedCode; readonly message: string; readonly n: number | null };

export type Asked = {
  /** Requests, answered or not. */
  readonly requests: number;
  /** Answers of calls that were found although times, or values, are others. */
  readonly alike: number;
  readonly unanswered: readonly Unanswered[];
  /** Of these, how many there were. */
  readonly unansweredCount: number;
  /** Recorded calls that nobody asked for. */
  readonly unasked: readonly Indexed[];
};

export type DoubleParts = {
  readonly catalogue: Catalogue;
  readonly site: string;
  /** The least that a recorded call has to have in common with a request. */
  readonly likeness: Likeness;
};

/** What is remembered of what was not answered. */
const mostRemembered = 1_000;

type Question = {
  readonly arrived: Arrived;
  readonly address: Address;
  readonly wanted: Wanted;
  readonly body: WrittenBody | null;
};

export class Double {
  readonly #recording: Recording;
  readonly #parts: DoubleParts;
  readonly #order: Order;
  readonly #unanswered: Unanswered[] = [];
  #requests = 0;
  #alike = 0;
  #unansweredCount = 0;
  /** Made when something is not there for the first time. */
  #search: { readonly nearby: Nearby; readonly hiding: MaskSet } | null = null;

  constructor(recording: Recording, parts: DoubleParts) {
    this.#recording = recording;
    this.#parts = parts;
    this.#order = new Order(recording.calls);
  }

  async answer(arrived: Arrived, body: WrittenBody | null): Promise<Reply> {
    this.#requests += 1;
    const address = addressOf(arrived, this.#parts.catalogue, this.#parts.site);
    const wanted = { ...address, value: await readComparable(address.query, body) };
    const found = this.#find(wanted);
    const question = { arrived, address, wanted, body };
    if (found === null) return this.#sayClosest(question);
    if ("when" in found) return this.#sayElsewhen(question, found);
    return this.#give(question, found);
  }

  /** The request could not even be read. */
  refuse(refusal: Pick<Refusal, "code" | "message">, status: number): Reply {
    this.#requests += 1;
    this.#remember({ code: "not_recorded", message: refusal.message, n: null });
    return errorReply(status, refusal.code, refusal.message);
  }

  get asked(): Asked {
    return {
      requests: this.#requests,
      alike: this.#alike,
      unanswered: this.#unanswered,
      unansweredCount: this.#unansweredCount,
      unasked: this.#recording.calls.filter((call) => !this.#order.wasServed(call)),
    };
  }

  /** What is most like it and may be given now; taken in the same moment, so that two requests never get one turn. */
  #find(wanted: Wanted): Indexed | Elsewhen | null {
    let elsewhen: Elsewhen | null = null;
    for (const likeness of likenesses.slice(0, likenesses.indexOf(this.#parts.likeness) + 1)) {
      const alike = this.#recording.alike(wanted, likeness);
      if (alike.length === 0) continue;
      const next = this.#order.next(alike);
      if (!("when" in next)) {
        this.#order.served(next);
        if (likeness !== "exact") this.#alike += 1;
        return next;
      }
      elsewhen ??= next;
    }
    return elsewhen;
  }

  async #give({ arrived, address, body }: Question, found: Indexed): Promise<Reply> {
    const bytes = await answerOf(found);
    if (!Buffer.isBuffer(bytes)) {
      const message = sayUnanswered(await this.#shown(address, body), found, bytes.missing);
      return this.#refuse({ code: "answer_not_recorded", message, n: found.call.n });
    }
    const accepts = arrived.headers.find(([name]) => name.toLowerCase() === "accept-encoding")?.[1] ?? null;
    return replyFrom(found.call, bytes, accepts);
  }

  async #sayElsewhen({ address, body }: Question, found: Elsewhen): Promise<Reply> {
    const message = sayElsewhen(await this.#shown(address, body), found);
    return this.#refuse({
      code: found.when === "later" ? "recorded_later" : "recorded_earlier",
      message,
      n: found.call.call.n,
    });
  }

  async #sayClosest({ address, wanted, body }: Question): Promise<Reply> {
    const { nearby, hiding } = this.#searching();
    const sent = await hide(hiding, address, body);
    const { likeness } = this.#parts;
    const closest = await nearby.closestTo({ address, value: wanted.value, sent, likeness });
    const message = sayUnrecorded(`${methodOf(address)} ${shownPath(sent.path)}`, closest);
    return this.#refuse({ code: "not_recorded", message, n: closest?.call.call.n ?? null });
  }

  async #shown(address: Address, body: WrittenBody | null): Promise<string> {
    const { path } = await hide(this.#searching().hiding, address, body);
    return `${methodOf(address)} ${shownPath(path)}`;
  }

  #searching(): { readonly nearby: Nearby; readonly hiding: MaskSet } {
    this.#search ??= { nearby: new Nearby(this.#recording), hiding: hidingOf(this.#parts.catalogue) };
    return this.#search;
  }

  #refuse(unanswered: Unanswered): Reply {
    this.#remember(unanswered);
    return errorReply(refusedStatus, unanswered.code, unanswered.message);
  }

  #remember(unanswered: Unanswered): void {
    this.#unansweredCount += 1;
    if (this.#unanswered.length < mostRemembered) this.#unanswered.push(unanswered);
  }
}

/** `missing`: why the answer cannot be given. */
const answerOf = async ({ call: { response, state } }: Indexed): Promise<Buffer | { readonly missing: string }> => {
  if (response === null) return { missing: `it is ${state}, and what its caller was answered is not in the recording` };
  const { body } = response;
  if (body === null) return Buffer.alloc(0);
  if (body.missing !== null) return { missing: `its body ${body.missing}` };
  try {
    return await body.read();
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
};

/** Anybody may have made one up. */
const methodOf = ({ method }: Address): string => method.slice(0, 20);

/** In Datadog's shape, which every Datadog client shows. */
const errorReply = (status: number, code: string, message: string): Reply => {
  const body = Buffer.from(JSON.stringify({ errors: [`dogwatch: ${message}`] }));
  return {
    status,
    headers: [
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
      ["dogwatch-error", code],
    ],
    body,
  };
};
