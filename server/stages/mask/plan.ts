/** From the configuration's masks and Datadog's known secret fields: what is looked for in the bodies of an operation, and where it is masked. */

import { secretFieldsOf } from "../../datadog/secretFields.ts";
import type { Operation } from "../../model/operation.ts";
import { type ActiveRule, buildDetector, type Detector, inRecording, inReply } from "./detect/detector.ts";
import { kindsOf } from "./detect/kinds.ts";
import { rules } from "./detect/rules/all.ts";
import type { Search } from "./findings.ts";
import { compileFields, type FieldRule } from "./json/fields.ts";
import { isFieldPath, readFieldPath } from "./json/path.ts";
import { Plain } from "./plain.ts";

/** A mask as configured, once its words are known to mean something (configured.ts). */
export type Mask = {
  readonly name: string;
  /** Built-in kinds. */
  readonly kinds: ReadonlySet<string>;
  readonly custom: readonly { readonly name: string; readonly pattern: string }[];
  readonly fields: readonly string[];
  /** `inReply`, `inRecording` or both. */
  readonly sides: number;
};

/** All masks of a configuration, compiled. Plans of operations are made once each. */
export type Masks = {
  readonly detector: Detector;
  /** For what callers send: a token in it is recorded as it was sent. */
  readonly requestDetector: Detector;
  readonly fields: readonly FieldRule[];
  /** Sides on which fields named like secrets are masked. */
  readonly names: number;
  /** Some mask applies to replies: else no reply is read. */
  readonly masksReplies: boolean;
  readonly custom: ReadonlySet<string>;
  readonly plans: Map<string, Plan>;
  readonly plainTexts: Plain;
  /** With their names before them. */
  readonly plainFields: Plain;
};

/** What is looked for in one operation's bodies. Requests are masked in recordings only. */
export type Plan = {
  readonly request: Search;
  readonly response: Search;
  readonly masksReply: boolean;
};

/** In recordings always, whatever the masks say: what is stored never holds a credential. */
const alwaysRecorded: ReadonlySet<string> = new Set(kindsOf("secret"));

export const compileMasks = (masks: readonly Mask[]): Masks => {
  const sides = new Map<string, number>();
  const add = (kind: string, side: number): void => void sides.set(kind, (sides.get(kind) ?? 0) | side);
  for (const kind of alwaysRecorded) add(kind, inRecording);
  for (const mask of masks) for (const kind of mask.kinds) add(kind, mask.sides);
  const masksReplies = masks.some((mask) => (mask.sides & inReply) !== 0);
  const active = [
    ...rules.flatMap((rule) => activeRule(rule, sides.get(rule.kind) ?? 0)),
    ...masks.flatMap((mask) => mask.custom.map((custom) => customRule(custom, mask.sides))),
  ];
  const requestDetector = buildDetector(active);
  return {
    detector: masksReplies ? buildDetector([...active, ownTokens]) : requestDetector,
    requestDetector,
    fields: masks.flatMap((mask) => mask.fields.map((path) => fieldRule(path, mask.sides, "field"))),
    names: sides.get("secret-field") ?? 0,
    masksReplies,
    custom: new Set(masks.flatMap((mask) => mask.custom.map(({ name }) => name))),
    plans: new Map(),
    plainTexts: new Plain(),
    plainFields: new Plain(),
  };
};

const activeRule = (rule: (typeof rules)[number], sides: number): ActiveRule[] =>
  sides === 0 ? [] : [{ ...rule, sides, custom: false }];

const customRule = (
  { name, pattern }: { readonly name: string; readonly pattern: string },
  sides: number,
): ActiveRule => ({
  kind: name,
  pattern,
  sign: "any",
  sides,
  custom: true,
});

/**
 * What looks like a token in an answer is text that somebody stored there. It is sealed like any value, so that a session is given no token
 * that is not its own, and what it writes back is what was there.
 */
const ownTokens: ActiveRule = {
  kind: "token",
  pattern: String.raw`(?i)dwm_[a-z0-9-]{1,32}_[a-z0-9_-]{8,}(?:@masked\.invalid)?`,
  sign: "run",
  sides: inReply | inRecording,
  custom: false,
};

const fieldRule = (written: string, sides: number, kind: FieldRule["kind"]): FieldRule => {
  const path = readFieldPath(written);
  if (!isFieldPath(path)) throw new Error(`${written} ${path.message}`);
  return { path, written, sides, kind };
};

export const planFor = (masks: Masks, operation: Operation): Plan => {
  const known = masks.plans.get(operation.id);
  if (known !== undefined) return known;
  const secrets = secretFieldsOf(operation.id);
  const search = (
    detector: Detector,
    fields: readonly { readonly path: string; readonly unless?: string }[],
  ): Search => ({
    detector,
    names: masks.names,
    decodes: true,
    fields: compileFields([
      ...masks.fields,
      ...fields.map(({ path, unless }) => ({
        ...fieldRule(path, inRecording, "secret-field"),
        ...(unless !== undefined && { unless }),
      })),
    ]),
  });
  const plan = {
    request: search(masks.requestDetector, secrets.request),
    response: search(masks.detector, secrets.response),
    masksReply: masks.masksReplies,
  };
  // Unknown operations have one plan; the catalogue bounds the others.
  masks.plans.set(operation.id, plan);
  return plan;
};
