/** What GitHub's answers and deliveries have in common, as parsers: only what is read is asked for, so that older servers fit too. */

import { z } from "zod";

/** An id that a number holds: those of repositories, comments, checks, issues. Larger ones would become another thing's. */
export const id = z.number().int().nonnegative();

/** An id of any size, in digits. */
export const digits = z
  .union([z.number().int().nonnegative(), z.bigint().nonnegative(), z.string().regex(/^\d{1,20}$/)])
  .transform(String);

const account = z.object({ login: z.string(), id });

/** Who GitHub shows in place of an account that was deleted; no such account may do anything. */
const ghost = { login: "ghost", id: 0 } as const;

export const writer = account.nullish().transform((user) => user ?? ghost);

export const login = z
  .object({ login: z.string() })
  .nullish()
  .transform((user) => user?.login ?? null);

/** A comment anywhere; where it stands is in one of the addresses, or told by whatever it came with. */
export const comment = z.object({
  id,
  user: writer,
  body: z
    .string()
    .nullish()
    .transform((text) => text ?? ""),
  created_at: z.string(),
  updated_at: z.string(),
  html_url: z.string(),
  in_reply_to_id: id.nullish().transform((of) => of ?? null),
});

export const repository = z.object({ id: digits, full_name: z.string() });

/** GitHub's times have no fractions: what happened in this second may be dated before the date. */
export const wholeSecond = (date: Date): Date => new Date(Math.floor(date.getTime() / 1_000) * 1_000);

/** `2026-01-02T03:04:05Z` */
export const timestamp = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "Z");
