/** The JSON that the gateway and its clients exchange: snake_case, RFC 3339 times with milliseconds, UUIDv7 ids (DESIGN: "JSON"). */

import { z } from "zod";

const time = z.iso.datetime({ precision: 3 });
const uuid = z.uuid();

/** RFC 8693 §2.2.1 */
export const tokenAnswer = z.object({
  access_token: z.string(),
  issued_token_type: z.literal("urn:ietf:params:oauth:token-type:access_token"),
  token_type: z.literal("Bearer"),
  expires_in: z.number().int(),
  session_id: uuid,
  session_url: z.url(),
  connection: z.string(),
  hosts: z.array(z.string()),
});
export type TokenAnswer = z.infer<typeof tokenAnswer>;

/** RFC 6749 §5.2, plus `code`. */
export const tokenError = z.object({ error: z.string(), error_description: z.string(), code: z.string() });
export type TokenError = z.infer<typeof tokenError>;

/** The signed end of a session; null until it is sealed. Its place in the log and the checkpoint may follow a moment later. */
export const seal = z
  .object({
    session_id: uuid,
    calls: z.number().int(),
    head: z.string(),
    state: z.enum(["closed", "expired"]),
    sealed_at: time,
    log_index: z.number().int().nullable(),
    checkpoint: z.string().nullable(),
  })
  .nullable();

export const closeAnswer = z.object({
  calls: z.number().int(),
  denied: z.number().int(),
  approved: z.number().int(),
  masked: z.number().int(),
  seal,
  url: z.url(),
});
export type CloseAnswer = z.infer<typeof closeAnswer>;

export const session = z.object({
  id: uuid,
  url: z.url(),
  connection: z.string(),
  caller: z.looseObject({ issuer: z.string(), subject: z.string() }),
  state: z.enum(["open", "closed", "expired"]),
  opened_at: time,
  closed_at: time.nullable(),
  calls: z.number().int(),
  denied: z.number().int(),
  approved: z.number().int(),
  masked: z.number().int(),
  /** Who said that it must not go, whatever its age. */
  hold: z.object({ by: z.string(), at: time, reason: z.string() }).nullable(),
  seal,
});
export type SessionJson = z.infer<typeof session>;

export const headers = z.array(z.tuple([z.string(), z.string()]));

export const body = z.object({
  size: z.number().int(),
  /** Of the stored bytes; null once the body has expired. */
  sha256: z.string().nullable(),
  /** The bytes were kept as long as `retention.bodies` says; the receipt outlasts them. */
  expired: z.boolean().default(false),
  content_type: z.string().nullable(),
  encoding: z.string().nullable(),
  truncated: z.boolean(),
  /** Why it, or the end of it, is not stored although it was there: nobody could look into it for what must not be stored. */
  withheld: z.string().nullable().default(null),
  /** Valid UTF-8 in no coding; absent in lists when it is over 32 KiB, and for session tokens. */
  text: z.string().optional(),
  /** Everything else. */
  base64: z.string().optional(),
});
export type BodyJson = z.infer<typeof body>;

export const message = z.object({ headers, body: body.nullable() });

/** What a token of a mask stands for. */
export const revealed = z.object({ kind: z.string(), value: z.string() });

const decision = z.object({
  effect: z.enum(["allow", "deny", "approve", "observe"]),
  rules: z.array(z.object({ name: z.string(), effect: z.string(), reason: z.string() })),
  /** Rules that would have let it pass, or have asked somebody, but for one clause. */
  near: z.array(z.object({ name: z.string(), effect: z.string(), clause: z.string() })).default([]),
  /** What became of the tokens of masks that the request held. */
  tokens: z.array(z.object({ kind: z.string(), path: z.string(), outcome: z.string() })).default([]),
  reason: z.string(),
  /** SHA-256 of the policy, `/v1/policies/{digest}`. */
  policy: z.string(),
});

/** A policy that was in force: `{observe, rules}` as RFC 8785 JSON, rules by name, is what the digest is of. */
export const policy = z.object({
  digest: z.string(),
  url: z.url(),
  first_in_force: time,
  observe: z.boolean(),
  rules: z.array(z.looseObject({ name: z.string(), effect: z.string(), when: z.string() })),
});
export type PolicyJson = z.infer<typeof policy>;

/** A policy text to be tried: the `policy:` block of a dogwatch.yaml, and how many days of recordings. */
export const policyText = z.strictObject({
  text: z.string().min(1).max(262_144),
  days: z.int().min(1).max(30).default(7),
});

const triedEffect = z.enum(["allow", "deny", "approve", "observe", "refuse"]);
const namedCall = z.object({ id: z.string(), url: z.url() });

/** What recorded calls would have been told by another policy; `report` is null when the text has problems. */
export const policyBacktest = z.object({
  /** Lines and columns from 1. */
  problems: z.array(z.object({ line: z.int(), column: z.int(), path: z.string(), message: z.string() })),
  report: z
    .object({
      policy: z.string(),
      since: time,
      /** Null when nothing was looked at. */
      looked_until: time.nullable(),
      /** False: the time was over before all was looked at. */
      complete: z.boolean(),
      calls: z.int(),
      changed: z.int(),
      undecided: z.int(),
      unsettled: z.object({ count: z.int(), examples: z.array(namedCall) }),
      rules_on_answers: z.int(),
      /** How many calls each rule decided, and would decide. */
      rules: z.array(z.object({ name: z.string(), before: z.int(), after: z.int() })),
      /** Changes of one kind, the largest first. */
      groups: z.array(
        z.object({
          operation: z.string(),
          access: z.string(),
          caller: z.string(),
          connection: z.string(),
          before: triedEffect,
          after: triedEffect,
          rules_before: z.array(z.string()),
          rules: z.array(z.string()),
          reason: z.string(),
          count: z.int(),
          examples: z.array(namedCall),
        }),
      ),
      /** Changed calls that are in no group. */
      ungrouped: z.int(),
    })
    .nullable(),
});
export type PolicyBacktestJson = z.infer<typeof policyBacktest>;

export const call = z.object({
  id: z.string(),
  session_id: uuid,
  n: z.number().int(),
  url: z.url(),
  operation: z.string(),
  access: z.enum(["read", "write", "destructive", "submit", "unknown"]),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  state: z.enum(["open", "closed", "refused", "indeterminate"]),
  decision,
  /** What rules on answers said; null when none had anything against it. */
  response_decision: decision.nullable().default(null),
  approval_id: uuid.nullable(),
  status: z.number().int().nullable(),
  error_code: z.string().nullable(),
  error: z.string().nullable(),
  upstream: z.string().nullable(),
  client: z.string().nullable(),
  received_at: time,
  decided_at: time,
  forwarded_at: time.nullable(),
  first_byte_at: time.nullable(),
  done_at: time.nullable(),
  request: message,
  response: message.nullable(),
});
export type CallJson = z.infer<typeof call>;

/** Where in a call a search found something: `marks` are from and to in `text`, UTF-16. */
export const excerpt = z.object({
  where: z.enum(["path", "operation", "decision", "error", "request", "response"]),
  text: z.string(),
  marks: z.array(z.tuple([z.number().int(), z.number().int()])),
});

/** A call that a search found, without the bytes of its bodies, and whose it is: as the token of its session said. */
export const searchHit = call.extend({
  connection: z.string(),
  subject: z.string(),
  /** Null where the token named none. */
  repository: z.string().nullable(),
  excerpts: z.array(excerpt),
});
export type SearchHitJson = z.infer<typeof searchHit>;

/** How recordings are exported beside `/v1/proof`. */
export const exportFormats = ["har", "jsonl", "curl"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** A call in a few words: what a picture of a whole session needs. */
const outlinedCall = call
  .pick({
    n: true,
    operation: true,
    access: true,
    method: true,
    host: true,
    path: true,
    query: true,
    state: true,
    approval_id: true,
    status: true,
    error_code: true,
    received_at: true,
    decided_at: true,
    forwarded_at: true,
    first_byte_at: true,
    done_at: true,
  })
  .extend({
    /** `rules`: the names of those that matched. */
    decision: decision.pick({ effect: true }).extend({ rules: z.array(z.string()) }),
  });
export type OutlinedCallJson = z.infer<typeof outlinedCall>;

/** `more`: whether calls follow the last one. */
export const outline = z.object({ session, items: z.array(outlinedCall), more: z.boolean() });
export type OutlineJson = z.infer<typeof outline>;

/** One held call's question and every attempt to answer it; also the body of the 202 to `Prefer: respond-async`. */
export const approval = z.object({
  id: uuid,
  state: z.enum(["pending", "approved", "denied", "expired", "stale", "cancelled", "consumed"]),
  code: z.string(),
  session_id: uuid,
  /** The call that asked first. */
  call_id: z.string().nullable(),
  operation: z.string(),
  /** Who asks: a repository, or a subject. Gateways of before did not say it. */
  who: z.string().default("unknown"),
  /** `Delete monitor 4212 “Checkout latency p99”` */
  title: z.string(),
  rule: z.string(),
  digest: z.string(),
  asked_at: time,
  expires_at: time,
  decided_at: time.nullable(),
  /** Why it ended as it did; empty while nothing ended it. */
  reason: z.string(),
  /** The call that it let pass. */
  consumed_by: z.string().nullable(),
  where: z.array(z.object({ kind: z.enum(["review_comment", "comment", "check_run", "issue", "page"]), url: z.url() })),
  answers: z.array(
    z.object({
      verdict: z.enum(["approve", "deny"]),
      by: z.string(),
      via: z.enum(["comment", "check", "page"]),
      at: time,
      accepted: z.boolean(),
      reason: z.string(),
    }),
  ),
  url: z.url(),
});
export type ApprovalJson = z.infer<typeof approval>;

/** `POST /v1/approvals/{id}/answer`, for people only. */
export const approvalAnswer = z.strictObject({
  verdict: z.enum(["approve", "deny"]),
  reason: z.string().max(1_000).default(""),
});

export const auditEvent = z.object({
  id: uuid,
  at: time,
  kind: z.string(),
  who: z.string(),
  what: z.string(),
  reason: z.string(),
});

const undoCall = z.object({ call_id: z.string(), url: z.url() });

/**
 * What takes one write back. `action`: `nothing`, `look` and `impossible` do nothing, and `why` says why. `state`: `planned` before anything was
 * asked for; `blocked` waits for a step of `needs`; `none` where nothing is to be done.
 */
export const undoStep = z.object({
  key: z.string(),
  /** The write. */
  n: z.number().int(),
  call_id: z.string(),
  url: z.url(),
  operation: z.string(),
  resource: z.object({ kind: z.string(), id: z.string(), name: z.string() }).nullable(),
  action: z.enum(["recreate", "restore", "put_back", "delete", "nothing", "look", "impossible"]),
  why: z.string(),
  /** The call that shows what was there before. */
  from: undoCall.nullable(),
  /** Steps that have to be done before, by key. */
  needs: z.array(z.string()),
  /** As it is sent, of a body the first 256 Ki characters; names of what is made anew under another id change until then. */
  request: z
    .object({ operation: z.string(), method: z.string(), path: z.string(), body: z.string().nullable() })
    .nullable(),
  state: z.enum(["none", "planned", "done", "waiting", "denied", "failed", "conflict", "blocked", "todo", "unknown"]),
  /** What came of it. */
  result: z.string(),
  /** The call that did it, or tried. */
  done_by: undoCall.nullable(),
  /** Under which id what was made anew is there. */
  new_id: z.string().nullable(),
  approval: z.object({ id: uuid, url: z.url() }).nullable(),
  /** Fields in which it is not as it was. */
  differs: z.array(z.string()),
});
export type UndoStepJson = z.infer<typeof undoStep>;

/** `session`: in which it was done; null for a plan, and where nothing was left to do. `steps`: in the order in which they are done. */
export const undo = z.object({
  session_id: uuid,
  connection: z.string(),
  session: z.object({ id: uuid, url: z.url() }).nullable(),
  steps: z.array(undoStep),
});
export type UndoJson = z.infer<typeof undo>;

/** `bodies`: whether they were still there when it was held. */
export const heldSession = z.object({ session, bodies: z.enum(["kept", "expired"]) });

export const holdReason = z.strictObject({
  reason: z.string().trim().min(3).max(500).describe("Why; it stays in the audit log"),
});

/** Who asks. `form`: what a browser that is signed in sends in `dogwatch-form` with whatever changes something. */
export const me = z.object({
  name: z.string(),
  kind: z.enum(["session", "access_token", "person"]),
  role: z.enum(["viewer", "approver", "auditor", "admin"]).nullable(),
  form: z.string().nullable(),
});
export type MeJson = z.infer<typeof me>;

/** What is to become of a session that is sent again; `masked`: made-up values in place of masked ones, or (admins alone) what they stand for. */
export const replayRequest = z.strictObject({
  connection: z.string().min(1).max(64).describe("Name of a connection of kind sandbox"),
  dry_run: z.boolean().default(false).describe("Send nothing: say what would be sent"),
  pace: z.enum(["fast", "recorded"]).default("fast").describe("recorded: with the pauses that were between the calls"),
  stop_on_difference: z.boolean().default(false),
  masked: z.enum(["stand-in", "restore"]).default("stand-in"),
});

const cleanUp = z.object({
  state: z.enum(["running", "done", "interrupted"]),
  deleted: z.number().int(),
  /** Were gone already. */
  missing: z.number().int(),
  failed: z.number().int(),
  reasons: z.array(z.string()),
});

/** A session that is sent again to a sandbox. It runs on: ask again until it is not `running`. */
export const replay = z.object({
  id: uuid,
  url: z.url(),
  session_id: uuid,
  /** The session that the replay is; null for a dry run. */
  replay_session_id: uuid.nullable(),
  connection: z.string(),
  by: z.string(),
  dry_run: z.boolean(),
  pace: z.enum(["fast", "recorded"]),
  stop_on_difference: z.boolean(),
  masked: z.enum(["stand-in", "restore"]),
  /** `interrupted`: the gateway ended before it did; nobody goes on with it. */
  state: z.enum(["running", "done", "stopped", "interrupted", "failed"]),
  reason: z.string(),
  started_at: time,
  ended_at: time.nullable(),
  /** Calls that the session had when it began; what became of how many of them so far follows. */
  calls: z.number().int(),
  same: z.number().int(),
  different: z.number().int(),
  failed: z.number().int(),
  skipped: z.number().int(),
  /** What a dry run would send. */
  planned: z.number().int(),
  /** Null until somebody asks for it. */
  cleanup: cleanUp.nullable(),
});
export type ReplayJson = z.infer<typeof replay>;

export const outcomes = ["same", "different", "failed", "skipped", "planned"] as const;

export const replayedCall = z.object({
  /** Of the recorded call. */
  n: z.number().int(),
  /** Of the call in the replay's own session; null where nothing was sent. */
  replay_n: z.number().int().nullable(),
  operation: z.string(),
  method: z.string(),
  path: z.string(),
  outcome: z.enum(outcomes),
  /** Why it failed or was skipped. */
  reason: z.string(),
  recorded_status: z.number().int().nullable(),
  replayed_status: z.number().int().nullable(),
  /** `path`: `status`, `body.options.thresholds.critical`. Values are JSON, cut where they are long; null for what is not there. Null once the bodies have expired. */
  differences: z
    .array(z.object({ path: z.string(), recorded: z.string().nullable(), replayed: z.string().nullable() }))
    .nullable(),
});
export type ReplayedCallJson = z.infer<typeof replayedCall>;

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

/** Datadog's error shape, for every answer the gateway gives itself. */
export const apiError = z.object({ errors: z.array(z.string()) });
