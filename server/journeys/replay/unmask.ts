/**
 * What a recorded text is sent as. Values come back only where masks in force would take the very same ones out at the very same places: a
 * token that a caller wrote somewhere itself, as text, is no value that stood there.
 */

import type { Operation } from "../../model/operation.ts";
import type { HeaderList, StoredCall } from "../../model/receipt.ts";
import { isTokenKind } from "../../stages/mask/detect/kinds.ts";
import { maskRequest, maskResponse, visibleIn } from "../../stages/mask/mask.ts";
import { type Masking, maskingOf } from "../../stages/mask/masking.ts";
import { open, valueOf } from "../../stages/mask/token/sealer.ts";
import { findTokens, mayHoldToken, type Written as Token } from "../../stages/mask/token/text.ts";
import { largestRead } from "./recorded.ts";
import { type StandIns, withStandIns, type Written } from "./standIns.ts";

export type Recorded = Pick<StoredCall, "session_id" | "host" | "query">;

export const maskingIn = ({ masks, connection }: StandIns, call: Recorded, operation: Operation): Masking => {
  const { session_id: session, host, query } = call;
  return maskingOf(masks, operation, { connection, session, host, query });
};

/** `again`: what masks make of the text once its values are back. */
export type Masked = {
  readonly text: string;
  readonly written: Written;
  again(text: string): string | Promise<string>;
};

/** What masks make of a body once its values are back. `headers`: its type is among them. */
export const maskedAgain =
  (masking: Masking, side: "request" | "response", headers: HeaderList) =>
  async (text: string): Promise<string> => {
    const uncoded = headers.filter(([name]) => name.toLowerCase() === "content-type");
    const message = { headers: uncoded, bytes: Buffer.from(text, "utf8") };
    const context = { sealing: masking.sealing, limits: { inspect: largestRead } };
    const masked =
      side === "request"
        ? await maskRequest(masking.plan, message, context)
        : (await maskResponse(masking.plan, message, context)).recording;
    return visibleIn(masked, message.bytes).toString();
  };

/** Null where values would come back that no mask took out there, or that cannot come back. */
export async function unmask(standIns: StandIns, { text, written, again }: Masked): Promise<string | null> {
  const { masks, unmasking } = standIns;
  if (unmasking === "stand-in" || !mayHoldToken(text)) return withStandIns(text, standIns, written);
  const restored = withStandIns(text, standIns, written);
  const { custom } = masks.masks;
  const [before, after] = [tokensIn(text, custom), tokensIn(await again(restored), custom)];
  const isAsMasked =
    before.between.length === after.between.length &&
    before.between.every((words, at) => words === after.between[at]) &&
    before.tokens.every((token, at) => isSameValue(standIns, token, after.tokens[at]));
  return isAsMasked ? restored : null;
}

type Tokens = { readonly tokens: readonly Token[]; readonly between: readonly string[] };

function tokensIn(text: string, custom: ReadonlySet<string>): Tokens {
  const tokens = findTokens(text, (kind) => isTokenKind(kind, custom));
  const ends = [0, ...tokens.map(({ end }) => end)];
  return { tokens, between: ends.map((from, at) => text.slice(from, tokens[at]?.start)) };
}

/** Where a value may go does not matter here: it goes where it went then. */
function isSameValue({ masks: { keys } }: StandIns, one: Token, other: Token | undefined): boolean {
  if (other === undefined || one.kind !== other.kind) return false;
  const [then, now] = [open(keys, one), open(keys, other)];
  if (then === "altered" || now === "altered" || !then.place.equals(now.place)) return false;
  const value = valueOf(then, Number.POSITIVE_INFINITY);
  return value !== null && value === valueOf(now, Number.POSITIVE_INFINITY);
}
