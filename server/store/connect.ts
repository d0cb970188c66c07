/** One PostgreSQL connection that notices within seconds when the other end is gone. */

import pg from "pg";

/** How long a connection may take to be there, ms. */
const connectTimeout = 2_000;
const lookEvery = 100;

export type ClientOptions = Pick<
  pg.ClientConfig,
  "application_name" | "query_timeout" | "statement_timeout" | "pipeline"
>;

/** Connects, or rejects within two seconds of this process's own time: while it did something else, the server's answers waited for it. */
export const connectClient = async (connectionString: string, options: ClientOptions): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    ...options,
  });
  // Without a listener a lost connection would end the process; whoever waits for an answer hears of it there.
  client.on("error", () => undefined);
  let waited = 0;
  const looking = setInterval(() => {
    waited += lookEvery;
    if (waited >= connectTimeout) client.connection.stream.destroy(new Error("the database did not answer in time"));
  }, lookEvery);
  try {
    await client.connect();
  } catch (error) {
    destroyClient(client);
    throw error;
  } finally {
    clearInterval(looking);
  }
  return client;
};

/** Cuts the connection at once, whatever is on its way: `end()` would wait for a server that may never answer. */
export const destroyClient = (client: pg.Client): void => {
  client.connection.stream.destroy();
};
