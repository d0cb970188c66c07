/** Hears of sessions that ended, whichever gateway ended them: LISTEN on a connection of its own. */

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Log } from "../model/log.ts";
import { connectClient, destroyClient } from "./connect.ts";

export type EndedSessions = {
  onEnded(callback: (session_id: string) => void): void;
  close(): void;
};

const channel = "dogwatch_session_ended";
/** An idle connection is asked this often whether it is still there, ms. */
const askEvery = 5_000;
const pauseBetween = 250;

export type EndedParts = { readonly connectionString: string; readonly log: Log };

/** Resolves when it listens. After a lost connection the sessions that ended meanwhile are told too. */
export const hearEndedSessions = async ({ connectionString, log }: EndedParts): Promise<EndedSessions> => {
  const callbacks = new Set<(session_id: string) => void>();
  const stopped = new AbortController();
  const tell = (id: string): void => {
    for (const callback of callbacks) callback(id);
  };

  const listen = async (): Promise<pg.Client> => {
    const client = await connectClient(connectionString, {
      application_name: "dogwatch listener",
      query_timeout: 2_000,
    });
    client.on("notification", ({ payload }) => payload !== undefined && tell(payload));
    try {
      await client.query(`LISTEN ${channel}`);
      return client;
    } catch (error) {
      destroyClient(client);
      throw error;
    }
  };

  const keepListening = async (first: pg.Client): Promise<void> => {
    let client = first;
    let heard = await askTime(client);
    while (!stopped.signal.aborted) {
      try {
        heard = await heartbeats(client, { heard, stopped: stopped.signal });
        if (stopped.signal.aborted) break;
        client = await listen();
        for (const id of await missedSince(client, heard)) tell(id);
      } catch (error) {
        log.warn({ err: error }, "not listening for ended sessions; trying again");
        await sleep(pauseBetween, undefined, { ref: false });
      }
    }
    destroyClient(client);
  };

  const first = await listen();
  void keepListening(first);
  return {
    onEnded: (callback) => void callbacks.add(callback),
    close: () => stopped.abort(),
  };
};

/** Until the connection is gone; answers when it was last known to be there, by the database's clock. */
const heartbeats = async (
  client: pg.Client,
  { heard, stopped }: { heard: string; stopped: AbortSignal },
): Promise<string> => {
  const ended = new Promise((resolve) => {
    client.once("end", resolve);
    stopped.addEventListener("abort", resolve, { once: true });
  });
  let last = heard;
  for (;;) {
    try {
      await Promise.race([ended, sleep(askEvery, undefined, { ref: false, signal: stopped })]);
      last = await askTime(client);
    } catch {
      destroyClient(client);
      return last;
    }
  }
};

const askTime = async (client: pg.Client): Promise<string> => {
  const { rows } = await client.query<{ now: string }>("SELECT clock_timestamp()::text AS now");
  return rows[0]?.now ?? "-infinity";
};

/** Closing times are a gateway's clock, hence the margin. */
const missedSince = async (client: pg.Client, heard: string): Promise<string[]> => {
  const { rows } = await client.query<{ id: string }>(
    "SELECT id::text FROM sessions WHERE closed_at > $1::timestamptz - interval '1 minute'",
    [heard],
  );
  return rows.map(({ id }) => id);
};
