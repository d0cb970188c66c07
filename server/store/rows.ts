/** Typed questions to the database: every row passes the schema of its query, every failure is a `GatewayError`. */

import pg from "pg";
import {
  type CommonQueryMethods,
  createPool,
  type DatabasePool,
  type Interceptor,
  SchemaValidationError,
} from "slonik";
import { z } from "zod";
import { GatewayError } from "../errors.ts";
import { patience, SharedPool } from "./pool.ts";

export type Questions = CommonQueryMethods;

export type Rows = {
  /**
   * @throws GatewayError `recording_unavailable` when the database does not answer, or not within five seconds; `gateway_busy` at once
   * when too many ask already
   */
  ask<T>(question: (questions: Questions) => Promise<T>): Promise<T>;
  /** Like `ask`, in one transaction, which is begun again when it loses to another. */
  transact<T>(work: (questions: Questions) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** `int4` and `timestamptz` columns as they are spoken of in the model. */
export const count = z.number().int();
/** `int8` columns that count bytes. */
export const size = z.bigint().transform(Number);
export const time = z.number().transform((milliseconds) => new Date(milliseconds));

export const openRows = async (connectionString: string): Promise<Rows> => {
  const create = async (): Promise<DatabasePool> => {
    const pool = await createPool(...poolConfiguration(connectionString));
    pool.on("error", () => undefined);
    return pool;
  };
  const shared = new SharedPool(create, await create());
  return {
    ask: (question) => unbroken(shared.run(question)),
    transact: (work) => unbroken(shared.run((pool) => pool.transaction(work))),
    close: () => Promise.race([shared.end(), later(patience)]),
  };
};

const later = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });

/** pg reads every form of connection string that libpq does, slonik fewer: pg reads, slonik is told. */
const poolConfiguration = (connectionString: string): Parameters<typeof createPool> => {
  const { host, port, user, password, database, ssl } = new pg.Client(connectionString);
  const authority = [user ?? "", password ?? ""].map(encodeURIComponent).join(":");
  const tls = ssl === (true as boolean) ? "&sslmode=require" : "";
  const uri = `postgresql://${authority}@${encodeURIComponent(host)}:${port}/${encodeURIComponent(database ?? "")}?application_name=dogwatch${tls}`;
  return [
    uri,
    {
      ...(typeof ssl === "object" ? { ssl } : {}),
      interceptors: [checkRows],
      maxPoolSize: 8,
      connectionTimeout: 2_000,
      connectionRetryLimit: 0,
      queryRetryLimit: 2,
      statementTimeout: patience,
      gracefulTerminationTimeout: 1_000,
      idleTimeout: 60_000,
      // `DISCARD ALL` would cost a round trip at every release, and nothing here changes its connection.
      resetConnection: async () => undefined,
    },
  ];
};

/** slonik carries the schema of a query and leaves it to an interceptor to apply it. */
const checkRows: Interceptor = {
  name: "rows pass their schema",
  transformRow: ({ resultParser }, query, row) => {
    const checked = resultParser?.["~standard"].validate(row);
    if (checked === undefined) return row;
    if (checked instanceof Promise) throw new TypeError("schemas of rows are synchronous");
    if (checked.issues !== undefined) throw new SchemaValidationError(query, row, checked.issues);
    return checked.value as typeof row;
  },
};

/** Whether what was found does not have the shape that a gateway writes, or is not whole: somebody else was there. */
export const isUnreadable = (error: unknown): boolean => {
  if (error instanceof z.ZodError || error instanceof SchemaValidationError) return true;
  if (!(error instanceof GatewayError) || error.code === "gateway_busy") return false;
  // A question that was not answered says why it was not.
  return error.cause === undefined || error.cause instanceof SchemaValidationError;
};

const unbroken = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("recording_unavailable", "the database did not answer", { cause });
  }
};

/** How something is done to rows: to all that are due, or to one of them. Both say which it was done to. */
export type Chore = {
  all(): Promise<readonly string[]>;
  due(): Promise<readonly string[]>;
  one(id: string): Promise<readonly string[]>;
};

/** Does it to all at once; where one of them does not let the others, to each by itself. @throws why not, when it could be done to none */
export const doToEach = async ({ all, due, one }: Chore): Promise<readonly string[]> => {
  try {
    return await all();
  } catch (error) {
    const done: string[] = [];
    for (const id of await due()) done.push(...(await one(id).catch(() => [])));
    if (done.length === 0) throw error;
    return done;
  }
};
