/** `/dogwatch/…` on the relay: is it alive, let it end, and the gateway's API for this one session, so that `post` needs no token. */

import type { Gateway } from "../gateway.ts";
import type { Log } from "../log.ts";
import { answer, type Call, forward } from "./forward.ts";
import type { LiveSession } from "./session.ts";

export type OwnParts = {
  readonly gateway: Gateway;
  readonly session: LiveSession;
  readonly log: Log;
  /** Somebody who holds the placeholder asked the relay to end. */
  readonly onStop: () => void;
};

/** @param call its path is what follows `/dogwatch`; its headers have the session token where the placeholder was */
export const serveOwn = async (parts: OwnParts, call: Call): Promise<void> => {
  const { request, response, addressed } = call;
  if (addressed.path === "/health") {
    response.writeHead(200, { "content-type": "application/json" }).end('{"status":"ok"}');
    return;
  }
  if (addressed.path === "/stop" && request.method === "POST") {
    response.writeHead(202, { connection: "close" }).end();
    return parts.onStop();
  }
  if (!isOfSession(addressed.path, parts.session.id) && !isApproval(request.method, addressed.path))
    return answer(response, { status: 404, code: "request_malformed", message: "the relay has no such page" });
  const { url: origin, network } = parts.gateway;
  await forward(call, { origin, agent: network.agentFor(origin), name: "the gateway" }, parts.log);
};

/** The gateway shows a session's token the session's own approvals only; nobody answers with one. */
const isApproval = (method: string | undefined, path: string): boolean =>
  method === "GET" && /^\/v1\/approvals\/[0-9a-f-]{36}(\?wait=\d{1,2})?$/.test(path);

/** No dots: nothing between here and the gateway may read it as another path. */
const isOfSession = (path: string, session: string): boolean => {
  const prefix = `/v1/sessions/${session}`;
  return path.startsWith(prefix) && /^(\/[a-z0-9/]*)?(\?|$)/.test(path.slice(prefix.length));
};
