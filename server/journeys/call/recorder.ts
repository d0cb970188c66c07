/** Records one body as it passes, masked: a small one as a whole, a large one as a stream. What cannot be masked is not kept. */

import { createHash, type Hmac } from "node:crypto";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { HeaderList, RecordedBody } from "../../model/receipt.ts";
import type { MaskedValue } from "../../stages/mask/body/build.ts";
import { inRecording } from "../../stages/mask/detect/detector.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { type MaskedBody, maskRequest, maskResponse } from "../../stages/mask/mask.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { type StreamContext, Unstreamable } from "../../stages/mask/stream/masker.ts";
import { maskStream } from "../../stages/mask/stream/stream.ts";
import { keyedDigest } from "../../stages/mask/token/equality.ts";
import type { Attempt } from "../../stages/mask/token/restore.ts";
import type { TokenWatch } from "../../stages/mask/token/watch.ts";
import { Tally } from "../../stages/mask/tally.ts";
import { Capture, captureSmall, type CaptureOptions, inlineLimit } from "../../stages/record/capture.ts";
import type { Call, CallParts } from "./parts.ts";

/** A body on its way: whose it is, and as what it travels. */
export type Passing = {
  readonly masking: Masking;
  readonly side: "request" | "response";
  readonly headers: HeaderList;
  /** Looks for tokens in what streams. */
  readonly watch?: TokenWatch;
};

export class Recorder {
  readonly #parts: CallParts;
  readonly #passing: Passing;
  readonly #capture: Capture;
  readonly #tally: Tally;
  /** Of what streams, as it came. */
  readonly #original: Hmac;
  #held: Buffer[] = [];
  #size = 0;
  #feed: PassThrough | null = null;
  /** Ends when all that may be stored is, or when nothing may be. */
  #masked: Promise<void> = Promise.resolve();
  #over = false;
  #withheld: string | null = null;
  #finished = false;

  constructor(parts: CallParts, passing: Passing) {
    this.#parts = parts;
    this.#passing = passing;
    this.#capture = new Capture(captureOptions(parts, passing));
    this.#tally = new Tally(passing.masking.sealing.keys);
    this.#original = keyedDigest(passing.masking.sealing.keys);
  }

  /** Takes what passed. A promise means: wait for the store before you pass more (backpressure). */
  take(chunk: Buffer): Promise<void> | undefined {
    // An upload may still be running when its answer is there and the receipt is written.
    if (this.#finished || chunk.length === 0) return undefined;
    this.#size += chunk.length;
    if (this.#feed !== null) return this.#pass(this.#feed, chunk);
    this.#held.push(chunk);
    return this.#size > inlineLimit ? this.#pass(this.#open(), Buffer.concat(this.#held.splice(0))) : undefined;
  }

  #open(): PassThrough {
    const feed = new PassThrough({ highWaterMark: inlineLimit });
    // Whoever stops reading destroys it; what was meant for it is not missed.
    feed.on("error", () => undefined);
    this.#feed = feed;
    this.#masked = this.#mask(feed);
    // Whoever passes the body waits for it, and so does `finish`; it may be that neither is left.
    this.#masked.catch(() => undefined);
    return feed;
  }

  async #pass(feed: PassThrough, chunk: Buffer): Promise<void> {
    this.#original.update(chunk);
    if (this.#over || feed.destroyed) return this.#masked;
    if (feed.write(chunk)) return;
    // Why nobody reads it any more is what ended the masking, and not that nobody reads it.
    await Promise.race([once(feed, "drain").catch(() => this.#masked), this.#masked]);
  }

  async #mask(feed: PassThrough): Promise<void> {
    const { masking, side, headers, watch } = this.#passing;
    const note = (values: readonly MaskedValue[]): void => this.#tally.add(values);
    const context: StreamContext = { search: masking.plan[side], side: inRecording, sealing: masking.sealing, note };
    const watched = watch && { watch: (chunk: Buffer): void => watch.push(chunk) };
    try {
      for await (const piece of maskStream(feed, headers, { ...context, ...watched })) {
        // What is not kept any more may still hold a token.
        if (!this.#capture.truncated) await this.#capture.take(piece);
        else if (watch === undefined) break;
      }
    } catch (error) {
      if (!(error instanceof Unstreamable)) throw error;
      this.#withheld = error.message;
    } finally {
      watch?.end();
      this.#over = true;
      feed.destroy();
    }
  }

  /** Tokens that passed in it; all of them once it is finished. */
  get astray(): readonly Attempt[] {
    return this.#passing.watch?.attempts ?? [];
  }

  /** The body as it will be stored; null when there was none. */
  async finish(): Promise<RecordedBody | null> {
    this.#finished = true;
    if (this.#size === 0) return null;
    if (this.#feed === null) return recordWhole(this.#parts, this.#passing, Buffer.concat(this.#held));
    if (!this.#over) this.#feed.end();
    await this.#masked;
    const recorded = await this.#capture.finish();
    const why = (says: string): string => whyWithheld(says, this.#original);
    if (recorded === null) {
      const withheld = why(this.#withheld ?? "nothing of it could be read");
      return withheldBody(this.#passing.headers, { size: this.#size, withheld });
    }
    const kept = { ...recorded, size: this.#size, replaced: this.#tally.replaced };
    // What came before was masked and may stay.
    return this.#withheld === null ? kept : { ...kept, truncated: true, withheld: why(this.#withheld) };
  }

  /** Forgets what was taken, when its receipt can no longer be written. */
  async abandon(): Promise<void> {
    this.#finished = true;
    this.#held = [];
    this.#feed?.destroy();
    await this.#masked.catch(() => undefined);
    await this.#capture.abandon();
  }
}

/** What was read of a request's body, as it will be stored. */
export const recordRequest = (call: Call, masking: Masking, bytes: Buffer): Promise<RecordedBody | null> =>
  recordWhole(call.parts, { masking, side: "request", headers: call.presented.headers }, bytes);

async function recordWhole(parts: CallParts, passing: Passing, bytes: Buffer): Promise<RecordedBody | null> {
  const { masking, side, headers } = passing;
  const context = { sealing: masking.sealing, limits: parts.limits() };
  const masked =
    side === "request"
      ? await maskRequest(masking.plan, { headers, bytes }, context)
      : (await maskResponse(masking.plan, { headers, bytes }, context)).recording;
  return recordMasked(parts, passing, { bytes, masked });
}

/** What masks have made of a body, as it will be stored; of one in which they could not look, its digest. */
export async function recordMasked(
  parts: CallParts,
  passing: Passing,
  { bytes, masked }: { readonly bytes: Buffer; readonly masked: MaskedBody },
): Promise<RecordedBody | null> {
  if (bytes.length === 0) return null;
  const { masking, headers } = passing;
  const store = async (stored: Buffer): Promise<RecordedBody | null> => {
    const recorded = await captureWhole(captureOptions(parts, passing), stored);
    return recorded === null ? null : { ...recorded, size: bytes.length };
  };
  switch (masked.outcome) {
    case "untouched":
      return store(bytes);
    case "masked": {
      const recorded = await store(masked.bytes);
      const tally = new Tally(masking.sealing.keys);
      tally.add(masked.values);
      return recorded === null ? null : { ...recorded, replaced: tally.replaced };
    }
    case "blocked":
    case "unreadable":
      return withheldBody(headers, {
        size: bytes.length,
        withheld: whyWithheld(masked.says, keyedDigest(masking.sealing.keys).update(bytes)),
      });
    default:
      return masked satisfies never;
  }
}

/** Nothing of the bytes is kept but their keyed digest. */
const withheldBody = (
  headers: HeaderList,
  { size, withheld }: { readonly size: number; readonly withheld: string },
): RecordedBody => ({
  size,
  sha256: createHash("sha256").digest(),
  content_type: headerOf(headers, "content-type"),
  encoding: headerOf(headers, "content-encoding"),
  truncated: true,
  bytes: null,
  spill: null,
  withheld,
});

const whyWithheld = (says: string, original: Hmac): string =>
  `${says}, so nobody could look for what must not be stored; HMAC-SHA-256 under the mask key: ${original.digest("hex")}`;

async function captureWhole(options: CaptureOptions, bytes: Buffer): Promise<RecordedBody | null> {
  const small = captureSmall(bytes, options);
  if (small !== null) return small;
  const capture = new Capture(options);
  await capture.take(bytes);
  return capture.finish();
}

const captureOptions = (parts: CallParts, { masking, headers }: Passing): CaptureOptions => ({
  openSpill: () => parts.openSpill(masking.sealing.call.session),
  limit: parts.limits().record,
  content_type: headerOf(headers, "content-type"),
  encoding: headerOf(headers, "content-encoding"),
});
