/** A store with sealed sessions in it, whoever has superuser rights on its database, and what an auditor has: an export, a public key, an old job summary. */

import pg from "pg";
import { summarize } from "../../../action/summary.ts";
import { closeJson } from "../../../server/http/json.ts";
import { exportProof, type ProofParts, type Wanted } from "../../../server/journeys/proof.ts";
import type { SignKeys } from "../../../server/journeys/seal/grow.ts";
import type { Sealer } from "../../../server/journeys/seal/sealer.ts";
import { type Anchor, findAnchors } from "../../../server/stages/seal/verify/anchor.ts";
import type { Report, SessionReport } from "../../../server/stages/seal/verify/report.ts";
import { keptByDefault, type Trust } from "../../../server/stages/seal/verify/trust.ts";
import { verifyProof } from "../../../server/stages/seal/verify/verify.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { recordCall } from "../../http/recordCall.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { newMemory, newSealer, newSignKeys } from "../../standins/sealing.ts";
import { openSession } from "../../store/specimens.ts";

export type Scene = {
  readonly store: Store;
  readonly database: FreshDatabase;
  readonly keys: SignKeys;
  readonly sealer: Sealer;
  readonly memory: ReturnType<typeof newMemory>;
  /** Records a session of so many calls, closes and seals it; its id. */
  session(calls: number): Promise<string>;
  /** What the job of this session printed when it ended. */
  summary(id: string): Promise<string>;
  /** As whoever owns the database: triggers are off. */
  tamper(...statements: readonly (string | readonly [text: string, ...values: unknown[]])[]): Promise<void>;
  export(wanted: Wanted, at?: () => Date): Promise<string[]>;
  close(): Promise<void>;
};

export const startScene = async (now: () => Date = () => new Date()): Promise<Scene> => {
  const database = await freshDatabase();
  const store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: now });
  const keys = newSignKeys();
  const memory = newMemory();
  const sealer = newSealer({ store, keys, memory, now });
  await sealer.round();
  const parts: ProofParts = {
    sessions: store.sessions,
    receipts: store.receipts,
    bodies: store.bodies,
    seals: store.seals,
    sealLog: store.log,
    signKeys: keys,
    keepsReceipts: () => 400 * 86_400_000,
    auditFirst: async () => undefined,
    now,
  };
  return {
    store,
    database,
    keys,
    sealer,
    memory,
    session: async (calls) => {
      const { id } = await openSession(store.sessions);
      for (let n = 1; n <= calls; n++) await recordCall(store, id, bodiesOf(n));
      await store.sessions.close(id, "closed");
      const seal = await sealer.seal(id);
      if (seal?.checkpoint === null || seal === null) throw new Error("the session was not sealed");
      return id;
    },
    summary: async (id) => {
      const session = await store.sessions.get(id);
      if (session === null) throw new Error("no session");
      const totals = closeJson("https://dogwatch.example.com", session);
      return summarize({ id, url: totals.url, connection: "prod" }, { totals, calls: [], approvals: [] });
    },
    tamper: async (...statements) => {
      const client = new pg.Client({ connectionString: database.connectionString });
      await client.connect();
      try {
        await client.query("SET session_replication_role = replica");
        for (const statement of statements) {
          const [text, ...values] = typeof statement === "string" ? [statement] : statement;
          await client.query(text, values);
        }
      } finally {
        await client.end();
      }
    },
    export: async (wanted, at = now) => {
      const lines = await exportProof({ ...parts, now: at }, { kind: "access", name: "ops", role: "auditor" }, wanted);
      if ("code" in lines) throw new Error(lines.message);
      const written: string[] = [];
      for await (const line of lines) written.push(JSON.stringify(line));
      return written;
    },
    close: async () => {
      await sealer.stop();
      await store.close();
      await database.drop();
    },
  };
};

const bodiesOf = (n: number) => ({
  request: { bytes: Buffer.from(`{"name":"monitor ${n}"}`) },
  response: { bytes: Buffer.from(`{"id":${n},"message":"${"x".repeat(n === 1 ? 300_000 : 10)}"}`) },
});

/** What an auditor trusts: the key, and anchors in whatever they were kept. */
export type Trusted = {
  readonly keys: SignKeys;
  readonly anchors?: readonly string[];
  readonly wanted?: Trust["wanted"];
  readonly now?: Date;
};

export const verify = (
  lines: readonly string[],
  { keys, anchors = [], wanted = null, now = new Date() }: Trusted,
): Promise<Report> =>
  verifyProof(each(lines), {
    keys: keys.known,
    anchors: anchors.flatMap((text, i): readonly Anchor[] => findAnchors(`anchor ${i + 1}`, text)),
    wanted,
    now,
    kept: keptByDefault,
  });

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

export const reportOf = ({ sessions }: Report, id: string): SessionReport => {
  const found = sessions.find(({ session_id }) => session_id === id);
  if (found === undefined) throw new Error(`session ${id} is not in the report`);
  return found;
};

/** `body 3`, `gap 2`, `seal` */
export const named = ({ findings }: Pick<Report, "findings">): string[] =>
  findings.map(({ kind, n }) => (n === null ? kind : `${kind} ${n}`));
