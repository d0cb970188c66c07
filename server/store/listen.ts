/** Hears what happens at any gateway, sessions that end and approvals that change: LISTEN on a connection of its own. */

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Log } from "../model/log.ts";
import { connectClient, destroyClient } from "./connect.ts";

export type Listener = {
  /** Those that ended while nobody could be told come late. */
  onEnded(callback: (session_id: string) => void): void;
  /** Null: some may have changed while nobody could be told. The returned function ends it. */
  onApproval(callback: (id: string | null) => void): () => void;
  close(): void;
};

const channels = { ended: "dogwatch_session_ended", approval: "dogwatch_approval_changed" } as const;
/** An idle connection is asked this often whether it is still there, ms. */
const askEvery = 5_000;
const pauseBetween = 250;

export type ListenParts = { readonly connectionString: string; readonly log: Log; readonly clock: () => Date };

/** Resolves when it listens. After a lost connection the sessions that ended meanwhile are told too. */
export const listenToAll = async ({ connectionString, log, clock }: ListenParts): Promise<Listener> => {
  const ended = new Set<(session_id: string) => void>();
  const approvals = new Set<(id: string | null) => void>();
  const stopped = new AbortController();
  const tellEnded = (id: string): void => {
    for (const callback of ended) callback(id);
  };
  const tellApproval = (id: string | null): void => {
    for (const callback of approvals) callback(id);
  };

  const listen = async (): Promise<pg.Client> => {
    const client = await connectClient(connectionString, {
      application_name: "dogwatch listener",
      query_timeout: 2_000,
    });
    client.on("notification", ({ channel, payload }) => {
      if (payload === undefined) return;
      if (channel === channels.ended) tellEnded(payload);
      else tellApproval(payload);
    });
    try {
      for (const channel of Object.values(channels)) await client.query(`LISTEN ${channel}`);
      return client;
    } catch (error) {
      destroyClient(client);
      throw error;
    }
  };

  /** What happened since `heard` may have been told to nobody, so it is told again. */
  const listenAgain = async (heard: string): Promise<pg.Client> => {
    for (;;) {
      let client: pg.Client | null = null;
      try {
        client = await listen();
        for (const id of await missedSince(client, heard)) tellEnded(id);
        tellApproval(null);
        return client;
      } catch (error) {
        if (client !== null) destroyClient(client);
        if (stopped.signal.aborted) throw error;
        log.warn({ err: error }, "not listening to the database; trying again");
        await sleep(pauseBetween, undefined, { ref: false });
      }
    }
  };

  const keepListening = async (first: pg.Client, since: string): Promise<void> => {
    let client = first;
    let heard = since;
    while (!stopped.signal.aborted) {
      heard = await heartbeats(client, { heard, clock, stopped: stopped.signal });
      if (!stopped.signal.aborted) client = await listenAgain(heard);
    }
    destroyClient(client);
  };

  const first = await listen();
  // Only a stop ends it, and then nobody listens.
  keepListening(first, await askTime(first, clock)).catch(() => undefined);
  return {
    onEnded: (callback) => void ended.add(callback),
    onApproval: (callback) => {
      approvals.add(callback);
      return () => void approvals.delete(callback);
    },
    close: () => stopped.abort(),
  };
};

type Heartbeats = { readonly heard: string; readonly clock: () => Date; readonly stopped: AbortSignal };

/** Until the connection is gone; answers when it was last known to be there. */
const heartbeats = async (client: pg.Client, { heard, clock, stopped }: Heartbeats): Promise<string> => {
  const ended = new Promise((resolve) => {
    client.once("end", resolve);
    stopped.addEventListener("abort", resolve, { once: true });
  });
  let last = heard;
  for (;;) {
    try {
      await Promise.race([ended, sleep(askEvery, undefined, { ref: false, signal: stopped })]);
      last = await askTime(client, clock);
    } catch {
      destroyClient(client);
      return last;
    }
  }
};

/** By the clock that is behind, this gateway's or the database's: rather too much is told again than too little. */
const askTime = async (client: pg.Client, clock: () => Date): Promise<string> => {
  const { rows } = await client.query<{ now: string }>(
    "SELECT least(clock_timestamp(), $1::timestamptz)::text AS now",
    [clock().toISOString()],
  );
  return rows[0]?.now ?? "-infinity";
};

/** Closing times are by the clock of whichever gateway closed it, hence the margin. */
const missedSince = async (client: pg.Client, heard: string): Promise<string[]> => {
  const { rows } = await client.query<{ id: string }>(
    "SELECT id::text FROM sessions WHERE closed_at > $1::timestamptz - interval '1 minute'",
    [heard],
  );
  return rows.map(({ id }) => id);
};
