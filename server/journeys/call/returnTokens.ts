/** Turns the tokens of masks in a request back into what they stand for, before the policy is asked: rules see what Datadog would get. */

import { type Refusal, isRefusal, refuse } from "../../errors.ts";
import { whoIs } from "../../model/caller.ts";
import { codingsOf, decodeCodings, encodeCodings } from "../../model/coding.ts";
import type { Decision, TokenUse } from "../../model/decision.ts";
import type { RuleSource } from "../../model/config.ts";
import type { HeaderList } from "../../model/receipt.ts";
import type { Operation } from "../../model/operation.ts";
import { type RequestBody, readUpTo } from "../../stages/forward/requestBody.ts";
import { maskSentence } from "../../stages/mask/beside.ts";
import { maskRequest } from "../../stages/mask/mask.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import { type Attempt, findForeign, mostReturned, restoreTokens } from "../../stages/mask/token/restore.ts";
import type { Call } from "./parts.ts";

/** The request once its tokens are looked at. Bodies are encoded as the one that came. */
export type Returned = {
  readonly body: RequestBody;
  /** Goes on in place of the body; null where it goes on as it came. */
  readonly restored: Buffer | null;
  /** The same once people have agreed to where it goes; null where there is nothing to agree to. */
  readonly onApproval: Buffer | null;
  readonly tokens: readonly TokenUse[];
};

export type Reading = { readonly operation: Operation; readonly masking: Masking };

export const asItCame = (body: RequestBody): Returned => ({ body, restored: null, onApproval: null, tokens: [] });

/** A refusal where the body would have to be read and cannot be. Whoever calls this has set its memory aside. Throws `RequestAborted`. */
export async function returnTokens(call: Call, reading: Reading, body: RequestBody): Promise<Returned | Refusal> {
  const beside = tokensBeside(call, reading.masking);
  if (!mustBeRead(reading, body)) return { ...asItCame(body), tokens: beside };
  const returned = await readWhole(call, reading, await readUpTo(call.parts.limits().inspect, body));
  return isRefusal(returned) ? returned : { ...returned, tokens: [...beside, ...returned.tokens] };
}

/** What intakes take was never read from them, so no token turns back there; large ones stream. */
export const mustBeRead = ({ operation, masking }: Reading, { prefix, rest }: RequestBody): boolean => {
  if (prefix.length === 0 && rest === null) return false;
  if (masking.undecodable === "refuse") return true;
  return masking.plan.masksReply && (rest === null || operation.access !== "submit");
};

async function readWhole(call: Call, { operation, masking }: Reading, body: RequestBody): Promise<Returned | Refusal> {
  const limits = call.parts.limits();
  const { headers } = call.presented;
  const as = asItCame(body);
  if (body.rest !== null) return tooLarge(`this body is larger than ${limits.inspect} bytes (limits.inspect)`);
  if (masking.undecodable === "refuse") {
    const masked = await maskRequest(masking.plan, { headers, bytes: body.prefix }, { ...masking, limits });
    if (masked.outcome === "unreadable") return unmaskable(masked.says);
  }
  if (!masking.plan.masksReply) return as;
  const plain = await decodeCodings(body.prefix, codingsOf(headers), limits.inspect);
  if (!Buffer.isBuffer(plain)) {
    if (plain.fault === "expands") return tooLarge(plain.says);
    if (plain.fault === "large") return tooLarge(`${plain.says} (limits.inspect)`);
    // Nothing is opened in what cannot be read, and what stands there in plain is told.
    return { ...as, tokens: usesOf(masking, standingIn(body.prefix, masking)) };
  }
  const context = { ...masking, operation };
  const looked = restoreTokens({ bytes: plain, contentType: contentTypes(headers) }, context);
  if (looked === null) return tooMany;
  const { bytes, onApproval, attempts } = looked;
  const unreturnable = attempts.find(({ outcome }) => outcome === "unreturnable");
  if (unreturnable !== undefined) return cannotReturn(shown(masking, unreturnable.path));
  const encoded = (changed: Buffer | null): Promise<Buffer> | null =>
    changed === null ? null : encodeCodings(changed, codingsOf(headers));
  return {
    ...as,
    restored: await encoded(bytes),
    onApproval: await encoded(onApproval),
    tokens: usesOf(masking, attempts),
  };
}

const standingIn = (bytes: Buffer, { custom }: Masking): readonly Attempt[] =>
  findForeign(bytes.toString("latin1"), custom).map((attempt) => ({ ...attempt, path: "$" }));

/** Of two that say different things nobody knows which one counts: together they are no type at all. */
const contentTypes = (headers: HeaderList): string =>
  headers.flatMap(([name, value]) => (name.toLowerCase() === "content-type" ? [value] : [])).join(", ");

const mostTokens = 100;

/** As many as a receipt names; those first that did not turn back. */
export const usesOf = (masking: Masking, attempts: readonly Attempt[]): TokenUse[] => {
  const isHome = ({ outcome }: Attempt): boolean => outcome === "restored";
  const told =
    attempts.length <= mostTokens
      ? attempts
      : [...attempts.filter((attempt) => !isHome(attempt)), ...attempts.filter(isHome)].slice(0, mostTokens);
  return told.map((attempt) => useOf(masking, attempt));
};

/** Names of members are the caller's words too. */
const useOf = (masking: Masking, { kind, path, outcome }: Attempt): TokenUse => ({
  kind,
  path: shown(masking, path),
  outcome,
});

const shown = (masking: Masking, path: string): string => maskSentence(masking, path.slice(0, 500), []).slice(0, 200);

function tokensBeside({ presented: { path, query, headers } }: Call, masking: Masking): TokenUse[] {
  if (!masking.plan.masksReply) return [];
  const places: readonly (readonly [string, string])[] = [["path", path], ["query", query], ...headers];
  const attempts = places.flatMap(([path, text]) =>
    findForeign(text, masking.custom).map((attempt) => ({ ...attempt, path })),
  );
  return usesOf(masking, attempts);
}

const tooLarge = (says: string): Refusal =>
  refuse("body_too_large", `masks apply to what this caller reads, so what it writes has to be read, and ${says}`);

const unmaskable = (says: string): Refusal =>
  refuse(
    "denied",
    `its body could not be recorded as it has to be: masks apply to it, and ${says} (policy.undecodable: refuse); nothing was sent`,
  );

const tooMany = refuse(
  "denied",
  `its body holds more than ${mostReturned} tokens of masks, which is more than are turned back at once; send it in parts; nothing was sent`,
);

/** To send the token would put it in the place of the value. */
const cannotReturn = (path: string): Refusal =>
  refuse(
    "denied",
    `the value that a mask hides at ${path} is too long to come back from its token; leave this field out; nothing was sent`,
  );

/** Written down whatever becomes of the call: somebody tried a token where it does not belong. */
export function auditTokens(call: Call, operation: Operation, tokens: readonly TokenUse[]): void {
  const astray = tokens.filter(({ outcome }) => outcome !== "restored");
  if (astray.length === 0) return;
  call.parts.audit({
    kind: "token_astray",
    who: whoIs(call.grant.caller),
    what: `${operation.id} in session ${call.grant.session_id}`,
    reason: astray
      .slice(0, 20)
      .map(({ kind, path, outcome }) => `${kind} at ${path}: ${outcome}`)
      .join("; "),
  });
}

/** Holds calls in which a value that a mask hides would go elsewhere than it did when it was read. */
export const destinationRule: RuleSource = {
  name: "dogwatch-masked-value-elsewhere",
  effect: "approve",
  when: "",
  phase: "request",
  observe: false,
};

/** What the rules said, and that people have to agree to where a hidden value goes; what they refuse or only observe stays so. */
export function withDestination(decision: Decision, { onApproval, tokens }: Returned): Decision {
  if (onApproval === null || decision.effect === "deny" || decision.effect === "observe") return decision;
  const places = tokens.filter(({ outcome }) => outcome === "destination").map(({ path }) => path);
  const reason = `a value that a mask hides (${places.slice(0, 5).join(", ")}) would be sent elsewhere than when it was read: a field that decides where it goes was changed`;
  return {
    ...decision,
    effect: "approve",
    rules: [{ name: destinationRule.name, effect: "approve", reason }, ...decision.rules],
    reason: decision.effect === "approve" ? `${decision.reason}; ${reason}` : reason,
  };
}
