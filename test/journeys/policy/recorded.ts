/** Recorded calls for tests of policies: put into a store one by one, each saying only what matters to it. */

import { openStore, type Store } from "../../../server/store/database.ts";
import type { Opening, RecordedBody } from "../../../server/model/receipt.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { bodyOf, closing, newSession, opening } from "../../store/specimens.ts";

export type Recorder = {
  readonly database: FreshDatabase;
  readonly store: Store;
  /** A session of that repository (acme/shop is 42); its id. */
  session(repository?: string, connection?: string): Promise<string>;
  /** Its number. */
  call(session_id: string, changes?: Partial<Opening>, ending?: Parameters<typeof closing>[0]): Promise<number>;
  close(): Promise<void>;
};

const ids: Readonly<Record<string, string>> = { "acme/shop": "42", "acme/pay": "43" };

export const startRecorder = async (): Promise<Recorder> => {
  const database = await freshDatabase();
  const store = await openStore({
    connectionString: database.connectionString,
    log: quietLog,
    clock: () => new Date(),
  });
  return {
    database,
    store,
    session: async (repository = "acme/shop", connection = "prod") => {
      const caller = {
        issuer: "https://token.actions.githubusercontent.com",
        issuer_name: "github",
        subject: `repo:${repository}:ref:refs/heads/main`,
        groups: [],
        claims: { repository, repository_id: ids[repository] ?? "1", repository_owner_id: "1234" },
      };
      return (await store.sessions.open(newSession({ caller, connection }))).id;
    },
    call: async (session_id, changes = {}, ending = {}) => {
      const { n } = await store.sink.record(opening(session_id, { received_at: new Date(), ...changes }), () =>
        closing(ending),
      );
      return n;
    },
    close: async () => {
      await store.close();
      await database.drop();
    },
  };
};

/** A request with this JSON as its body. */
export const withBody = (body: unknown, changes: Partial<RecordedBody> = {}): Opening["request"] => ({
  headers: [["Content-Type", "application/json"]],
  body: { ...bodyOf(JSON.stringify(body)), ...changes },
});

export const deletion = (n: number): Partial<Opening> => ({
  operation: "v1.MonitorsApi.DeleteMonitor",
  access: "destructive",
  method: "DELETE",
  path: `/api/v1/monitor/${n}`,
  query: "",
});

export const creation = (body: unknown, changes: Partial<RecordedBody> = {}): Partial<Opening> => ({
  operation: "v1.MonitorsApi.CreateMonitor",
  access: "write",
  method: "POST",
  path: "/api/v1/monitor",
  query: "",
  request: withBody(body, changes),
});

export const refused: NonNullable<Parameters<typeof closing>[0]> = {
  state: "refused",
  status: 403,
  error_code: "denied",
  error: "denied",
  forwarded_at: null,
  first_byte_at: null,
};

export const denial = {
  effect: "deny",
  rules: [],
  reason: "no rule allows it",
  policy: "0".repeat(64),
} as const;
