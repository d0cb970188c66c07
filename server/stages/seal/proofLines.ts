/** The lines of an export with its proof: JSON Lines, written by a gateway, read by anybody. */

import { z } from "zod";

/** The last bits of a text may say nothing: only the one way in which a gateway writes bytes is taken. */
const isWrittenSo = (text: string): boolean =>
  text === "" || Buffer.from(text.slice(-4), "base64").toString("base64") === text.slice(-4);
const base64 = z
  .base64()
  .refine(isWrittenSo)
  .transform((text) => Buffer.from(text, "base64"));
const hash = base64.refine((bytes) => bytes.length === 32);
const count = z.int().min(0);
const side = z.enum(["request", "response"]);

const seal = z.strictObject({
  session_id: z.string(),
  calls: count,
  head: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.enum(["closed", "expired"]),
  sealed_at: z.iso.datetime({ precision: 3 }).transform((text) => new Date(text)),
  log_index: count.nullable(),
});

const sealedBody = z.looseObject({ digest: z.string(), withheld: z.string().nullable() });
const message = z.looseObject({ headers: z.array(z.tuple([z.string(), z.string()])), body: sealedBody.nullable() });

/**
 * Every kind of line; what is hashed is the line's own JSON and not what these shapes make of it. Strict: what stands beside a
 * receipt in its line would be believed with it. Only what is hashed whole may hold anything.
 */
const shapes = {
  /** First. `key` is information: a key that comes with what it is to prove proves nothing. */
  header: z.strictObject({
    format: z.literal("dogwatch-proof-v1"),
    origin: z.string(),
    key: z.array(z.string()),
    made_at: z.iso.datetime({ precision: 3 }),
    /** Which sessions were asked for. */
    sessions: z.union([z.literal("all"), z.array(z.string())]),
  }),
  checkpoint: z.strictObject({ note: z.string() }),
  /** Hashes of leaves of the log from this one on: any earlier checkpoint can be checked against them. */
  leaves: z.strictObject({ from: count, hashes: base64.refine((bytes) => bytes.length % 32 === 0) }),
  /** `proof`: that the seal is leaf `log_index` under the checkpoint; null when it is not there yet. */
  session: z.strictObject({
    session: z.looseObject({
      form: z.literal(2).optional(),
      id: z.string(),
      opened_at: z.string(),
      closed_at: z.string().nullable(),
      calls: count,
    }),
    seal: seal.nullable(),
    proof: z.array(hash).nullable(),
  }),
  /** A session that was asked for, or that has a leaf, and is not there; `expired`: its time is over, and its leaf stays. */
  absent: z.strictObject({
    session_id: z.string(),
    seal: seal.nullable(),
    proof: z.array(hash).nullable(),
    why: z.enum(["expired", "gone", "unreadable"]),
  }),
  /** Digests of the receipts that were sealed, from this number on; from 0: the chain's beginning. */
  digests: z.strictObject({ from: count, digests: base64, prints: base64 }),
  receipt: z.strictObject({
    receipt: z.looseObject({
      session_id: z.string(),
      n: count,
      approval_id: z.string().nullable().optional(),
      request: message,
      response: message.nullable(),
    }),
  }),
  /** A call that is there, in a form that no gateway writes. */
  unreadable: z.strictObject({ n: count }),
  /** A piece of a body, behind its receipt. */
  body: z.strictObject({ n: count, side, salt: hash, bytes: base64, last: z.boolean() }),
  /** A body that is not there: its time is over, it was never kept, or it is lost. */
  bodyless: z.strictObject({ n: count, side, why: z.enum(["expired", "not kept", "lost"]) }),
  /** Last: a file without it was cut. */
  end: z.strictObject({ lines: count }),
} as const;

export type Kind = keyof typeof shapes;
export type Shapes = { readonly [K in Kind]: z.output<(typeof shapes)[K]> };
export type ProofLine = { [K in Kind]: { readonly kind: K; readonly value: Shapes[K]; readonly raw: object } }[Kind];
export type SealLine = z.output<typeof seal>;
/** What a gateway writes. */
export type WrittenLine = { [K in Kind]: { readonly kind: K } & z.input<(typeof shapes)[K]> }[Kind];

const isKind = (kind: unknown): kind is Kind => typeof kind === "string" && Object.hasOwn(shapes, kind);

/** Null for what is no line of such a file. */
export const readLine = (text: string): ProofLine | null => {
  const raw = parse(text);
  if (raw === null || !("kind" in raw) || !isKind(raw.kind)) return null;
  const { kind, ...rest } = raw;
  const parsed = shapes[kind].safeParse(rest);
  return parsed.success ? ({ kind, value: parsed.data, raw } as ProofLine) : null;
};

/** Null also where a name stands twice: of two readers, one would take the first and one the last. */
const parse = (text: string): object | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && membersOf(value) === membersIn(text) ? value : null;
  } catch {
    return null;
  }
};

const membersOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, member) => sum + membersOf(member), own);
};

/** Of what is known to be JSON: texts that a colon follows. */
const membersIn = (json: string): number => {
  let members = 0;
  for (let start = json.indexOf('"'); start >= 0; ) {
    const end = endOfText(json, start + 1);
    let after = end + 1;
    while (" \t\r\n".includes(json[after] ?? "-")) after++;
    if (json[after] === ":") members += 1;
    start = json.indexOf('"', end + 1);
  }
  return members;
};

/** At the first quote with an even number of backslashes before it. */
const endOfText = (json: string, from: number): number => {
  for (let at = json.indexOf('"', from); ; at = json.indexOf('"', at + 1)) {
    let escapes = 0;
    while (json[at - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return at;
  }
};
