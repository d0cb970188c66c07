/** Sessions, openings and closings as tests need them: each says only what matters to it. */

import { createHash, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Closing, HeaderList, Masked, Opening, RecordedBody } from "../../server/model/receipt.ts";
import type { Session } from "../../server/model/session.ts";
import type { NewSession, Sessions } from "../../server/store/sessions.ts";
import type { FreshDatabase } from "../standins/database.ts";

export const newSession = (changes: Partial<NewSession> = {}): NewSession => ({
  caller: {
    issuer: "https://token.actions.githubusercontent.com",
    issuer_name: "github",
    subject: "repo:acme/app:ref:refs/heads/main",
    groups: [],
    claims: { repository_id: "42" },
  },
  connection: "prod",
  binding: { issuer: "https://token.actions.githubusercontent.com" },
  token_digest: randomBytes(32),
  expires_at: new Date(Date.now() + 900_000),
  ...changes,
});

const day = 86_400_000;

/** A session as a gateway would have opened it then, and used it last now. */
export const sessionOfOld = async ({ query }: Pick<FreshDatabase, "query">, daysAgo: number): Promise<string> => {
  const opened = Date.now() - daysAgo * day;
  const id = uuidv7({ msecs: opened });
  const { caller, connection, binding } = newSession();
  await query(
    `INSERT INTO sessions (id, connection, caller, binding, opened_at, last_used_at) VALUES ($1, $2, $3, $4, $5, now())`,
    [id, connection, JSON.stringify(caller), JSON.stringify(binding), new Date(opened)],
  );
  return id;
};

/** Closed, and not used since. */
export const lieFallow = ({ query }: Pick<FreshDatabase, "query">, id: string, daysAgo: number): Promise<unknown> =>
  // What has ended does not change, but for whoever turns that off.
  query(`
    SET session_replication_role = replica;
    UPDATE sessions SET state = 'closed', closed_at = w.at, last_used_at = w.at
    FROM (SELECT '${new Date(Date.now() - daysAgo * day).toISOString()}'::timestamptz AS at) w WHERE id = '${id}';
    RESET session_replication_role`);

export const openSession = (sessions: Sessions): Promise<Session> => sessions.open(newSession());

/** In tests nothing needs masking. */
const unmasked = <T>(receipt: T): Masked<T> => receipt as Masked<T>;

export const opening = (session_id: string, changes: Partial<Opening> = {}): Masked<Opening> =>
  unmasked({
    session_id,
    operation: "v1.MonitorsApi.GetMonitor",
    access: "read",
    method: "GET",
    host: "api.datadoghq.com",
    path: "/api/v1/monitor/7",
    query: "with_downtimes=true",
    decision: {
      effect: "allow",
      rules: [{ name: "agents-may-read", effect: "allow", reason: "matched" }],
      reason: "GetMonitor is allowed by rule agents-may-read",
      policy: "0".repeat(64),
    },
    client: "datadog-api-client-typescript/1.64.0",
    received_at: new Date("2026-05-04T03:02:01.123Z"),
    decided_at: new Date("2026-05-04T03:02:01.124Z"),
    request: { headers: [["Accept", "application/json"]], body: null },
    ...changes,
  });

export const closing = (changes: Partial<Closing> = {}): Masked<Closing> =>
  unmasked({
    state: "closed",
    status: 200,
    error_code: null,
    error: null,
    upstream: "https://api.datadoghq.com",
    forwarded_at: new Date("2026-05-04T03:02:01.125Z"),
    first_byte_at: new Date("2026-05-04T03:02:01.225Z"),
    done_at: new Date("2026-05-04T03:02:01.325Z"),
    request_body: null,
    response: { headers: [["content-type", "application/json"]], body: bodyOf('{"id":7}') },
    ...changes,
  });

/** As the API client sends them and as they are recorded: keys masked. */
export const clientFields: HeaderList = [
  ["accept", "application/json"],
  ["accept-encoding", "gzip, deflate"],
  ["connection", "keep-alive"],
  ["content-type", "application/json"],
  ["dd-api-key", "[masked]"],
  ["dd-application-key", "[masked]"],
  ["user-agent", "datadog-api-client-typescript/1.64.0 (node v24.21.0; os Linux; arch x64)"],
];

export const bodyOf = (content: string | Buffer): RecordedBody => {
  const bytes = Buffer.from(content);
  return {
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest(),
    content_type: "application/json",
    encoding: null,
    truncated: false,
    bytes,
    spill: null,
  };
};

export const readAll = async (stream: AsyncIterable<Buffer> | null): Promise<Buffer> => {
  if (stream === null) throw new Error("the body has expired");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
