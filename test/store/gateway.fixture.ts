/** A process with a store that is made to be killed: opens calls, says so, and never closes them. */

import { startEmbedded } from "../../server/store/embedded.ts";
import { openStore } from "../../server/store/database.ts";
import { quietLog } from "../standins/database.ts";
import { opening, openSession } from "./specimens.ts";

const [what, where] = process.argv.slice(2);

const say = (word: object): void => void process.stdout.write(`${JSON.stringify(word)}\n`);

try {
  const embedded = what === "embedded" ? await startEmbedded({ dataDir: where ?? "", log: quietLog }) : null;
  const connectionString = embedded?.connectionString ?? where ?? "";
  const store = await openStore({ connectionString, log: quietLog, clock: () => new Date() });
  const session = await openSession(store.sessions);
  await Promise.all(Array.from({ length: 20 }, () => store.sink.open(opening(session.id))));
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
