/** Masks of a configuration over Datadog's real catalogue, with a key of their own: what the tests of this folder start from. */

import { buildCatalogue, lookUp } from "../../../server/datadog/catalogue.ts";
import type { MaskSource } from "../../../server/model/config.ts";
import type { Operation } from "../../../server/model/operation.ts";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { areMasks, readMasks } from "../../../server/stages/mask/configured.ts";
import { type MaskedBody, maskRequest, maskResponse } from "../../../server/stages/mask/mask.ts";
import { buildFamilies, familyOf } from "../../../server/stages/mask/place/family.ts";
import type { CallPlace } from "../../../server/stages/mask/place/place.ts";
import { compileMasks, type Masks, planFor } from "../../../server/stages/mask/plan.ts";
import type { Sealing } from "../../../server/stages/mask/token/bind.ts";
import { isMaskKeys, type MaskKeys, readMaskKeys } from "../../../server/stages/mask/token/keys.ts";
import { type Restored, restoreTokens } from "../../../server/stages/mask/token/restore.ts";

const catalogue = buildCatalogue();
export const families = buildFamilies(catalogue.entries);

export const operation = (method: string, path: string): Operation => lookUp(catalogue, "api", { method, path });

export const keysOf = (...lines: string[]): MaskKeys => {
  const keys = readMaskKeys(lines.join("\n"));
  if (!isMaskKeys(keys)) throw new Error(keys);
  return keys;
};

export const keyLine = (letter: string): string => Buffer.alloc(48, letter).toString("base64");
export const keys = keysOf(keyLine("k"));
export const here: CallPlace = { connection: "prod", session: "0197a000-0000-7000-8000-000000000001" };

export const masksOf = (...sources: readonly Partial<MaskSource>[]): Masks => {
  const read = readMasks(
    sources.map((source, index) => ({
      name: `mask-${index}`,
      detect: [],
      fields: [],
      where: ["reply", "recording"],
      ...source,
    })),
  );
  if (!areMasks(read)) throw new Error(JSON.stringify(read));
  return compileMasks(read);
};

/** Everything that a configuration can detect, everywhere. */
export const everything = masksOf({ detect: ["secret", "personal", "network"] });

export const sealingOf = (of: Operation, call: CallPlace = here): Sealing => ({
  keys,
  call,
  family: familyOf(families, of, "api"),
  query: "",
});

const limits = { inspect: 8 * 2 ** 20 };
export const json: HeaderList = [["Content-Type", "application/json"]];

export type Case = {
  readonly masks?: Masks;
  readonly of?: Operation;
  readonly headers?: HeaderList;
  readonly sealing?: Sealing;
};

export const maskBoth = (
  body: Buffer | string,
  {
    masks = everything,
    of = operation("GET", "/api/v1/monitor/1"),
    headers = json,
    sealing = sealingOf(of),
  }: Case = {},
) => maskResponse(planFor(masks, of), { headers, bytes: Buffer.from(body) }, { sealing, limits });

/** What the caller gets. */
export const reply = async (body: Buffer | string, options: Case = {}): Promise<string> =>
  textOf((await maskBoth(body, options)).reply, body);
export const recorded = async (body: Buffer | string, options: Case = {}): Promise<string> =>
  textOf((await maskBoth(body, options)).recording, body);

export const recordedRequest = async (
  body: Buffer | string,
  {
    masks = everything,
    of = operation("PUT", "/api/v1/monitor/1"),
    headers = json,
    sealing = sealingOf(of),
  }: Case = {},
): Promise<string> =>
  textOf(await maskRequest(planFor(masks, of), { headers, bytes: Buffer.from(body) }, { sealing, limits }), body);

const textOf = (masked: MaskedBody, body: Buffer | string): string => {
  if (masked.outcome === "untouched") return body.toString();
  if (masked.outcome === "masked") return masked.bytes.toString();
  throw new Error(`${masked.outcome}: ${masked.says}`);
};

/** What goes on to Datadog, and what is said of each token. */
export const restore = (
  body: Buffer | string,
  {
    of,
    sealing = sealingOf(of),
    contentType = "application/json",
    custom = new Set<string>(),
  }: { of: Operation; sealing?: Sealing; contentType?: string; custom?: ReadonlySet<string> },
): Restored & { readonly text: string; readonly outcomes: readonly string[] } => {
  const restored = restoreTokens({ bytes: Buffer.from(body), contentType }, { sealing, custom, operation: of });
  if (restored === null) throw new Error("more tokens than are opened at once");
  return {
    ...restored,
    text: (restored.bytes ?? body).toString(),
    outcomes: restored.attempts.map(({ outcome }) => outcome),
  };
};

export const tokensIn = (text: string): string[] => text.match(/dwm_[a-z0-9-]+_[\w-]+(?:@masked\.invalid)?/g) ?? [];
