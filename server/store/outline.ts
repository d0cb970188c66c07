/** Reads the calls of a session in a few words each: one question for a thousand of them, and none about their bodies. */

import { sql } from "slonik";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import { accessClasses } from "../model/operation.ts";
import type { Outline, OutlinedCall, OutlineRequest } from "../model/outline.ts";
import { distinct, openingPhrase, weekOf } from "./phrases.ts";
import { count, type Rows, time } from "./rows.ts";

export interface Outlines {
  read(request: OutlineRequest): Promise<Outline>;
}

const outlineRow = z.object({
  n: count,
  operation: z.string(),
  access: z.enum(accessClasses),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  approval_id: z.uuid().nullable(),
  received_at: time,
  decided_at: time,
  state: z.enum(["open", "closed", "refused", "indeterminate"]),
  status: count.nullable(),
  error_code: z.string().nullable(),
  forwarded_at: time.nullable(),
  first_byte_at: time.nullable(),
  done_at: time.nullable(),
  phrase: z.instanceof(Buffer),
});
type OutlineRow = z.infer<typeof outlineRow>;

const phraseRow = z.object({ digest: z.instanceof(Buffer), value: z.unknown() });
/** Of a phrase, what an outline tells. */
const decided = openingPhrase.pick({ decision: true });

export const createOutlines = (rows: Rows): Outlines => ({
  read: async ({ session_id, after, limit }) => {
    if (!z.uuid().safeParse(session_id).success) return { items: [], more: false };
    const found = await rows.ask((db) =>
      db.any(sql.type(outlineRow)`
        SELECT c.n, c.operation, c.access, c.method, c.host, c.path, c.query, c.approval_id, c.received_at, c.decided_at, c.phrase,
          coalesce(e.state, 'open') AS state, e.status, e.error_code, e.forwarded_at, e.first_byte_at, e.done_at
        FROM calls c LEFT JOIN closings e ON e.session_id = c.session_id AND e.n = c.n
        WHERE c.session_id = ${session_id} AND c.n > ${after} ORDER BY c.n LIMIT ${limit + 1}`),
    );
    const shown = found.slice(0, limit);
    const decisions = await findDecisions(rows, session_id, shown);
    return { items: shown.map((row) => assemble(row, decisions)), more: found.length > limit };
  },
});

type Decisions = ReadonlyMap<string, OutlinedCall["decision"]>;

const findDecisions = async (rows: Rows, session_id: string, found: readonly OutlineRow[]): Promise<Decisions> => {
  if (found.length === 0) return new Map();
  const digests = sql.array(distinct(found.map(({ phrase }) => phrase)), "bytea");
  const phrases = await rows.ask((db) =>
    db.any(sql.type(phraseRow)`
      SELECT digest, value FROM phrases WHERE week = ${weekOf(session_id)} AND digest = ANY (${digests})`),
  );
  return new Map(phrases.map(({ digest, value }) => [digest.toString("hex"), decided.parse(value).decision]));
};

const assemble = ({ phrase, ...row }: OutlineRow, decisions: Decisions): OutlinedCall => {
  const decision = decisions.get(phrase.toString("hex"));
  if (decision === undefined)
    throw new GatewayError("recording_unavailable", `call ${row.n} is not stored as a whole any more`);
  return { ...row, decision: { effect: decision.effect, rules: decision.rules } };
};
