/** What goes out to Datadog: the caller's request without its hop-by-hop fields, with the connection's credentials. */

import type { Readable } from "node:stream";
import { type Keyed, putCredentials } from "../../datadog/credentials.ts";
import type { Connection } from "../../model/connection.ts";
import type { HeaderList } from "../../model/receipt.ts";
import { endToEnd } from "./endToEnd.ts";

export type Outgoing = {
  readonly method: string;
  /** The Datadog host that is meant: it is in the Host header, whatever the endpoint's address. */
  readonly host: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Buffer | Readable | null;
};

/** `Host` is set anew, `Expect` was answered by us (RFC 9110 §10.1.1), and no other credential goes along with ours. */
const ownFields = new Set(["host", "expect", "cookie"]);

/** `Prefer: respond-async` is said to us: our relay says it of every call that it could send again. */
const isOwn = (name: string, value: string): boolean =>
  ownFields.has(name) || (name === "prefer" && value.trim().toLowerCase() === "respond-async");

export function withCredentials(connection: Connection, request: Omit<Outgoing, "target"> & Keyed): Outgoing {
  // What the caller's `Connection` names is dropped before the credentials come, so that it cannot name them.
  const headers = endToEnd(request.headers).filter(([name, value]) => !isOwn(name.toLowerCase(), value));
  const keyed = putCredentials(connection, request.host, { ...request, headers });
  return {
    method: request.method,
    host: request.host,
    target: keyed.query === "" ? keyed.path : `${keyed.path}?${keyed.query}`,
    headers: keyed.headers,
    body: request.body,
  };
}
