/** The lines of an export with its proof: JSON Lines, written by a gateway, read by anybody. */

import { z } from "zod";

const base64 = z.base64().transform((text) => Buffer.from(text, "base64"));
const hash = base64.refine((bytes) => bytes.length === 32);
const count = z.int().min(0);
const side = z.enum(["request", "response"]);

const seal = z.object({
  session_id: z.string(),
  calls: count,
  head: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.enum(["closed", "expired"]),
  sealed_at: z.iso.datetime({ precision: 3 }).transform((text) => new Date(text)),
  log_index: count.nullable(),
});

const sealedBody = z.looseObject({ digest: z.string(), withheld: z.string().nullable() });
const message = z.looseObject({ headers: z.array(z.tuple([z.string(), z.string()])), body: sealedBody.nullable() });

/** Every kind of line; what is hashed is the line's own JSON and not what these shapes make of it. */
const shapes = {
  /** First. `key` is information: a key that comes with what it is to prove proves nothing. */
  header: z.object({
    format: z.literal("dogwatch-proof-v1"),
    origin: z.string(),
    key: z.array(z.string()),
    made_at: z.iso.datetime({ precision: 3 }),
    /** Which sessions were asked for. */
    sessions: z.union([z.literal("all"), z.array(z.string())]),
  }),
  checkpoint: z.object({ note: z.string() }),
  /** Hashes of leaves of the log from this one on: any earlier checkpoint can be checked against them. */
  leaves: z.object({ from: count, hashes: base64.refine((bytes) => bytes.length % 32 === 0) }),
  /** `proof`: that the seal is leaf `log_index` under the checkpoint; null when it is not there yet. */
  session: z.object({
    session: z.looseObject({ id: z.string(), opened_at: z.string(), closed_at: z.string().nullable(), calls: count }),
    seal: seal.nullable(),
    proof: z.array(hash).nullable(),
  }),
  /** A session that was asked for, or that has a leaf, and is not there; `expired`: its time is over, and its leaf stays. */
  absent: z.object({
    session_id: z.string(),
    seal: seal.nullable(),
    proof: z.array(hash).nullable(),
    why: z.enum(["expired", "gone", "unreadable"]),
  }),
  /** Digests of the receipts that were sealed, from this number on; from 0: the chain's beginning. */
  digests: z.object({ from: count, digests: base64, prints: base64 }),
  receipt: z.object({
    receipt: z.looseObject({
      session_id: z.string(),
      n: count,
      request: message,
      response: message.nullable(),
    }),
  }),
  /** A call that is there, in a form that no gateway writes. */
  unreadable: z.object({ n: count }),
  /** A piece of a body, behind its receipt. */
  body: z.object({ n: count, side, salt: hash, bytes: base64, last: z.boolean() }),
  /** A body that is not there: its time is over, it was never kept, or it is lost. */
  bodyless: z.object({ n: count, side, why: z.enum(["expired", "not kept", "lost"]) }),
  /** Last: a file without it was cut. */
  end: z.object({ lines: count }),
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
  const parsed = shapes[raw.kind].safeParse(raw);
  return parsed.success ? ({ kind: raw.kind, value: parsed.data, raw } as ProofLine) : null;
};

const parse = (text: string): object | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
};
