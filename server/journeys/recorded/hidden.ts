/** A request as its recording would hold it: what a message may show of it. */

import { randomBytes } from "node:crypto";
import type { Catalogue } from "../../datadog/catalogue.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { hideIn, maskQuery } from "../../stages/mask/beside.ts";
import { maskRequest } from "../../stages/mask/mask.ts";
import { type MaskSet, maskingOf } from "../../stages/mask/masking.ts";
import { buildFamilies } from "../../stages/mask/place/family.ts";
import { compileMasks } from "../../stages/mask/plan.ts";
import { isMaskKeys, readMaskKeys } from "../../stages/mask/token/keys.ts";
import { findTokens, mayHoldToken } from "../../stages/mask/token/text.ts";
import type { Address } from "./address.ts";
import { type Comparable, readComparable, type WrittenBody } from "./comparable.ts";

/** Without a configuration: what every recording hides. The key dies with the process, and nothing that is sealed with it is shown. */
export const hidingOf = (catalogue: Catalogue): MaskSet => {
  const keys = readMaskKeys(randomBytes(48).toString("base64"));
  if (!isMaskKeys(keys)) throw new Error(keys);
  return { masks: compileMasks([]), keys, families: buildFamilies(catalogue.entries), undecodable: "digest" };
};

const mostInspected = 8 * 2 ** 20;

export type Hidden = { readonly path: string; readonly value: Comparable };

/** A body in which nobody could look for secrets is shown by its size. */
export async function hide(hiding: MaskSet, address: Address, body: WrittenBody | null): Promise<Hidden> {
  const { operation, query } = address;
  const host = address.host ?? "";
  const masking = maskingOf(hiding, operation, { connection: "", session: "", host, query });
  const path = hideIn(hiding.masks, address.path);
  const shownQuery = maskQuery(masking, query, []);
  if (body === null) return { path, value: await readComparable(shownQuery, null) };
  const masked = await maskRequest(
    masking.plan,
    { headers: headersOf(body), bytes: body.bytes },
    { sealing: masking.sealing, limits: { inspect: mostInspected } },
  );
  switch (masked.outcome) {
    case "untouched":
      return { path, value: await readComparable(shownQuery, body) };
    case "masked":
      return { path, value: await readComparable(shownQuery, { ...body, bytes: masked.bytes }) };
    case "blocked":
    case "unreadable": {
      const value = new Map(await readComparable(shownQuery, null));
      return { path, value: value.set("content", "a body that is not shown").set("body", unshown(masked.says)) };
    }
    default:
      return masked satisfies never;
  }
}

const headersOf = ({ contentType, encoding }: WrittenBody): HeaderList => [
  ...(contentType === null ? [] : [["content-type", contentType] as const]),
  ...(encoding === null ? [] : [["content-encoding", encoding] as const]),
];

/** What cannot be written out, in place of a value. */
export class Unshown {
  readonly says: string;
  constructor(says: string) {
    this.says = says;
  }
}
export const unshown = (says: string): Unshown => new Unshown(says);

/** Every token by its kind: `[secret-field]`. */
export const kindsFor = (text: string): string => {
  if (!mayHoldToken(text)) return text;
  return findTokens(text, () => true).reduceRight(
    (shown, { start, end, kind }) => `${shown.slice(0, start)}[${kind}]${shown.slice(end)}`,
    text,
  );
};
