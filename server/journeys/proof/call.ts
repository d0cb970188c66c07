/** One call of an export: its receipt, and its bodies piece by piece. */

import { GatewayError } from "../../errors.ts";
import type { WrittenLine } from "../../stages/seal/proofLines.ts";
import { receiptOf } from "../../stages/seal/receipt.ts";
import type { Bodies } from "../../store/bodies.ts";
import type { Recorded } from "../seal.ts";

type BodyParts = { readonly bodies: Pick<Bodies, "read"> };

/** What is there of the bodies: the salt of their day, and those that were read together. */
export type BodiesRead = { readonly salt: Buffer | null; readonly small: ReadonlyMap<string, Buffer> };

/** A body whose salt is gone cannot be checked any more, and is not shown either. */
export async function* callOf(
  parts: BodyParts,
  recorded: Recorded,
  { salt, small }: BodiesRead,
): AsyncGenerator<WrittenLine> {
  const { call } = recorded;
  const receipt = writeReceipt(recorded);
  if (receipt === null) {
    yield { kind: "unreadable", n: call.n };
    return;
  }
  yield { kind: "receipt", receipt };
  for (const side of ["request", "response"] as const) {
    const body = call[side]?.body ?? null;
    if (body === null) continue;
    if (salt === null) yield { kind: "bodyless", n: call.n, side, why: "expired" };
    else if (body.id === null) yield { kind: "bodyless", n: call.n, side, why: "not kept" };
    else if (body.expired) yield { kind: "bodyless", n: call.n, side, why: "lost" };
    else {
      const place = { n: call.n, side, salt: salt.toString("base64") };
      const whole = small.get(body.id);
      yield* whole === undefined ? piecesOf(parts, body.id, place) : [pieceOf(place, whole, "last")];
    }
  }
}

type Place = { readonly n: number; readonly side: "request" | "response"; readonly salt: string };

/** One piece is in memory, and the next, because the last one says that it is. */
async function* piecesOf({ bodies }: BodyParts, id: string, place: Place): AsyncGenerator<WrittenLine> {
  let held: Buffer | null = null;
  try {
    for await (const piece of bodies.read(id)) {
      if (held !== null) yield pieceOf(place, held, "more");
      held = piece;
    }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.cause !== undefined) throw error;
    yield { kind: "bodyless", n: place.n, side: place.side, why: "lost" };
    return;
  }
  yield pieceOf(place, held ?? Buffer.alloc(0), "last");
}

const pieceOf = (place: Place, bytes: Buffer, after: "more" | "last"): WrittenLine => ({
  kind: "body",
  ...place,
  bytes: bytes.toString("base64"),
  last: after === "last",
});

type WrittenReceipt = Extract<WrittenLine, { kind: "receipt" }>["receipt"];

/** As it is hashed: what is not there is left out. Null for one with a time that is none, as no gateway writes it. */
const writeReceipt = ({ call, approval }: Recorded): WrittenReceipt | null => {
  try {
    return JSON.parse(JSON.stringify(receiptOf(call, approval))) as WrittenReceipt;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
};
