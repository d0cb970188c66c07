/** What the API was asked, for tests to pin. */

export type Asked = {
  readonly at: Date;
  readonly method: string;
  /** Without `/api/v3` and query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** `pulls/create-review-comment`; null for what is none of the operations. */
  readonly operation: string | null;
  /** Who asked: `app 1`, `installation 7`, `user mona`, `job 9001`, `nobody`. Never a token. */
  readonly by: string;
  /** Without the credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** 0 when no answer went out. */
  readonly status: number;
};

/** As `test/standins/githubSpec.ts` takes it; `path` has no `/api/v3`. */
export type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  readonly status: number;
  /** Undefined when there was none. */
  readonly responseBody: unknown;
};
