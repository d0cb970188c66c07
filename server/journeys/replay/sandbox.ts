/** Which connection a replay may go to, and whether it still is the one that it was. */

import { type ApiRefusal, refuseApi } from "../../errors.ts";
import type { Connection } from "../../model/connection.ts";
import { addressApart, type Apart, NotApart } from "../../stages/forward/apart.ts";

export type SandboxParts = {
  /** As it is configured now. */
  connection(name: string): Connection | undefined;
  readonly apart: Apart;
};

/** Asked at the start, so that whoever starts it is told; each call is asked about again when it is decided, and when it is sent. */
export async function chooseSandbox(parts: SandboxParts, name: string): Promise<Connection | ApiRefusal> {
  const connection = parts.connection(name);
  if (connection === undefined) return refuseApi("not_found", `there is no connection ${JSON.stringify(name)}`);
  switch (connection.kind) {
    case "live":
      return refuseApi("forbidden", `connection ${name} is live, and replays go to connections of kind sandbox only`);
    case "sandbox":
      return (await refusedAddress(parts, connection)) ?? connection;
    default:
      return connection.kind satisfies never;
  }
}

async function refusedAddress({ apart }: SandboxParts, { name, endpoint }: Connection): Promise<ApiRefusal | null> {
  if (endpoint === undefined) return null;
  try {
    await addressApart(endpoint, apart);
    return null;
  } catch (error) {
    if (error instanceof NotApart) return refuseApi("forbidden", `connection ${name} is no sandbox: ${error.message}`);
    throw error;
  }
}
