/** One PostgreSQL connection that notices within seconds when the other end is gone. */

import pg from "pg";

/** How long a connection may take to be there, ms. */
const connectTimeout = 2_000;

export type ClientOptions = Pick<
  pg.ClientConfig,
  "application_name" | "query_timeout" | "statement_timeout" | "pipeline"
>;

/** Connects, or rejects within two seconds. */
export const connectClient = async (connectionString: string, options: ClientOptions): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    ...options,
  });
  // Without a listener a lost connection would end the process; whoever waits for an answer hears of it there.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    destroyClient(client);
    throw error;
  }
  return client;
};

/** Cuts the connection at once, whatever is on its way: `end()` would wait for a server that may never answer. */
export const destroyClient = (client: pg.Client): void => {
  client.connection.stream.destroy();
};
