/** A store in memory, until the real one. */
import { randomUUID } from "node:crypto";
import { v7 } from "uuid";
import type { Page, PageRequest } from "../../server/journeys/history.ts";
import type { SessionKeeper } from "../../server/journeys/token.ts";
import type { StoredAuditEvent } from "../../server/model/audit.ts";
import type { StoredCall } from "../../server/model/receipt.ts";
import type { Session } from "../../server/model/session.ts";
import type { GrantSource, FoundGrant } from "../../server/stages/authenticate/present.ts";
import type { HistoryParts } from "../../server/journeys/history.ts";
import type { CloseParts } from "../../server/journeys/close.ts";
import { refuse, type Refusal } from "../../server/errors.ts";

export type TestStore = {
  sessions: SessionKeeper & GrantSource & CloseParts["sessions"] & HistoryParts["sessions"];
  receipts: HistoryParts["receipts"];
  audit: HistoryParts["auditLog"];
  put(call: StoredCall, bodies: { request: Buffer | null; response: Buffer | null }): void;
  close(): Promise<void>;
};

export const memoryStore = async (clock: () => Date): Promise<TestStore> => {
  const sessions = new Map<string, Session>();
  const tokens = new Map<string, { id: string; expires_at: Date }>();
  const used = new Set<string>();
  const listeners: ((id: string) => void)[] = [];
  const calls: { call: StoredCall; bodies: { request: Buffer | null; response: Buffer | null } }[] = [];
  const paged = async <T>(all: T[], { limit, cursor }: PageRequest): Promise<Page<T> | Refusal> => {
    const from = cursor === undefined ? 0 : Number(cursor);
    if (Number.isNaN(from)) return refuse("request_malformed", "cursor is not one of this list");
    const next = from + limit < all.length ? String(from + limit) : null;
    return { items: all.slice(from, from + limit), next_cursor: next };
  };
  return {
    sessions: {
      async open(s) {
        const session: Session = {
          id: v7(),
          connection: s.connection,
          caller: s.caller,
          state: "open",
          opened_at: clock(),
          closed_at: null,
          calls: 0,
          denied: 0,
          approved: 0,
          masked: 0,
        };
        sessions.set(session.id, session);
        tokens.set(s.token_digest.toString("hex"), { id: session.id, expires_at: s.expires_at });
        return session;
      },
      get: async (id) => sessions.get(id) ?? null,
      async addToken(id, digest, expires_at) {
        tokens.set(digest.toString("hex"), { id, expires_at });
      },
      async useTokenId(issuer, id) {
        const key = `${issuer} ${id}`;
        if (used.has(key)) return false;
        used.add(key);
        return true;
      },
      async findByToken(digest): Promise<FoundGrant | null> {
        const t = tokens.get(digest.toString("hex"));
        const s = t && sessions.get(t.id);
        return t && s
          ? { session_id: s.id, connection: s.connection, caller: s.caller, expires_at: t.expires_at, state: s.state }
          : null;
      },
      onClosed: (callback) => void listeners.push(callback),
      async close(id, state) {
        const s = sessions.get(id);
        if (!s) throw new Error("none");
        if (s.state === "open") sessions.set(id, { ...s, state, closed_at: clock() });
        for (const l of listeners) l(id);
        return sessions.get(id) as Session;
      },
      list: (page) => paged([...sessions.values()].reverse(), page),
    },
    receipts: {
      calls: (id, page) =>
        paged(
          calls.map((c) => c.call).filter((c) => c.session_id === id),
          page,
        ),
      call: async (id, n) => calls.find((c) => c.call.session_id === id && c.call.n === n)?.call ?? null,
      async body(id, n, side) {
        const found = calls.find((c) => c.call.session_id === id && c.call.n === n);
        const bytes = found?.bodies[side];
        const meta = found?.call[side]?.body;
        if (!bytes || !meta) return null;
        return {
          meta,
          stream: (async function* () {
            yield bytes;
          })(),
        };
      },
    },
    audit: {
      list: (page) =>
        paged<StoredAuditEvent>(
          [{ id: randomUUID(), at: clock(), kind: "sign_in", who: "w", what: "x", reason: "r" }],
          page,
        ),
    },
    put: (call, bodies) => {
      const s = sessions.get(call.session_id) as Session;
      sessions.set(s.id, { ...s, calls: s.calls + 1 });
      calls.push({ call: { ...call, n: s.calls + 1 }, bodies });
    },
    close: async () => undefined,
  };
};
