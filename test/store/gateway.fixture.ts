/** A process with a store that is made to be killed: opens calls, says so, and never closes them. */

import { startEmbedded } from "../../server/store/embedded.ts";
import { openStore, type Store } from "../../server/store/database.ts";
import { quietLog } from "../standins/database.ts";
import { question, yes } from "./questions.ts";
import { opening, openSession } from "./specimens.ts";

const [what, where] = process.argv.slice(2);

const say = (word: object): void => void process.stdout.write(`${JSON.stringify(word)}\n`);

/** One call that waits for people, and one that they have let go. */
async function holdTwo(store: Store, session_id: string): Promise<void> {
  const { approval } = await store.approvals.ask(question(session_id));
  const held = () => store.sink.open(opening(session_id, { access: "destructive", approval_id: approval.id }));
  await held();
  const call = await held();
  await store.approvals.answer(approval.id, { key: "comment:1", answer: yes("github:ana") });
  await store.approvals.consume(approval.id, { call, grant: null });
}

try {
  const embedded = what === "embedded" ? await startEmbedded({ dataDir: where ?? "", log: quietLog }) : null;
  const connectionString = embedded?.connectionString ?? where ?? "";
  const store = await openStore({ connectionString, log: quietLog, clock: () => new Date() });
  const session = await openSession(store.sessions);
  if (what === "held") await holdTwo(store, session.id);
  else await Promise.all(Array.from({ length: 20 }, () => store.sink.open(opening(session.id))));
  say({ session: session.id, connectionString });
  process.on(
    "SIGTERM",
    () =>
      void store
        .close()
        .then(() => embedded?.stop())
        .then(() => process.exit(0)),
  );
  setInterval(() => undefined, 1_000);
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
