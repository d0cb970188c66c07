/** Sends the gateway's own requests through its own port, in memory: they pass the same door as everybody's. */

import { request as httpRequest, type Server } from "node:http";
import { duplexPair } from "node:stream";
import type { Door, DoorAnswer } from "../journeys/undo/send.ts";

/** Of an answer; a larger one is no answer to anything that is asked here. */
const mostBytes = 16 * 1024 * 1024;

export const createOwnDoor =
  (server: Pick<Server, "emit">): Door =>
  ({ method, path, headers, body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<DoorAnswer>();
    const [near, far] = duplexPair();
    server.emit("connection", far);
    const fields = [
      ["Host", "dogwatch"],
      ["Connection", "close"],
      ...headers,
      ...(body === null ? [] : [["Content-Length", String(Buffer.byteLength(body))] as const]),
    ];
    const outgoing = httpRequest(
      { createConnection: () => near, method, path, headers: fields.flat(), setHost: false },
      (response) => {
        const pieces: Buffer[] = [];
        let size = 0;
        response.on("data", (piece: Buffer) => {
          size += piece.length;
          if (size > mostBytes) outgoing.destroy(new Error("an answer to the gateway's own request is too large"));
          pieces.push(piece);
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            header: (name) => response.headers[name]?.toString() ?? null,
            body: Buffer.concat(pieces),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body ?? undefined);
    return promise.finally(() => near.destroy());
  };
