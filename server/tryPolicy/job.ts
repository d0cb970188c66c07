/** What the process that tries a policy text is told. */

export type Job = {
  /** A `policy:` alone, from outside. */
  readonly text: string;
  /** The other sections of the configuration that it belongs to, as a file would have them. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly connectionString: string;
  readonly since: Date;
  /** ms after which no further page of recordings is read. */
  readonly reading: number;
};
