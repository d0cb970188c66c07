/** Sends the gateway's own calls to its own port, in memory: they come in by the same door as everybody's. */

import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
  type Server,
} from "node:http";
import { duplexPair } from "node:stream";
import type { LineAnswer, OwnLine } from "../journeys/ownLine.ts";

/** Of an answer; of one that is larger nothing is kept. */
const mostBytes = 8 * 1024 * 1024;
/** A call may wait for Datadog as long as anybody's may, and a little more. ms */
const patience = 180_000;

export const createOwnLine =
  (server: Pick<Server, "emit">): OwnLine =>
  ({ method, target, headers, body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<LineAnswer>();
    const [near, far] = duplexPair();
    server.emit("connection", far);
    const fields = [["Host", "dogwatch"], ["Connection", "close"], ...headers];
    const outgoing = begin(
      { createConnection: () => near, method, path: target, headers: fields.flat(), setHost: false },
      (response) => {
        let pieces: Buffer[] | null = [];
        let size = 0;
        response.on("data", (piece: Buffer) => {
          size += piece.length;
          if (size > mostBytes) pieces = null;
          else pieces?.push(piece);
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            header: (name) => response.headers[name]?.toString() ?? null,
            body: pieces === null ? null : Buffer.concat(pieces),
          }),
        );
      },
    );
    if (outgoing instanceof Error) {
      near.destroy();
      return Promise.reject(outgoing);
    }
    const late = setTimeout(() => outgoing.destroy(new Error("the call had no answer in time")), patience);
    outgoing.on("error", reject);
    outgoing.end(body ?? undefined);
    return promise.finally(() => {
      clearTimeout(late);
      near.destroy();
    });
  };

/** A header field or a path that is none is an error of this call, and throws nothing at whoever sends many. */
const begin = (options: RequestOptions, answer: (response: IncomingMessage) => void): ClientRequest | Error => {
  try {
    return httpRequest(options, answer);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};
