/** Keeps a copy of a request's body while it streams, so that a call that was held can be sent a second time. */

import type { IncomingMessage } from "node:http";

/** Bytes that all copies of a relay together may take. */
export type Room = { take(bytes: number): boolean; give(bytes: number): void };

const mebibyte = 1024 * 1024;
/** Of one body: as much as a gateway reads of one unless told otherwise (`limits.inspect`). */
export const longestCopy = 8 * mebibyte;

export const createRoom = (size = 64 * mebibyte): Room => {
  let left = size;
  return {
    take(bytes) {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give(bytes) {
      left += bytes;
    },
  };
};

export type BodyCopy = {
  /** Copies what the client sends from now on; for whoever begins to read the body. */
  start(): void;
  /** The body once the client has sent all of it; null when it is too long to keep, or the client went away. */
  whole(): Promise<Buffer | null>;
  drop(): void;
};

/** Null when the body is known to be too long. One of unknown length is copied as long as there is room. */
export const copyBody = (request: IncomingMessage, room: Room): BodyCopy | null => {
  let taken = Number(request.headers["content-length"] ?? 0);
  if (taken > longestCopy || !room.take(taken)) return null;
  let chunks: Buffer[] | null = [];
  let size = 0;
  const drop = () => {
    chunks = null;
    room.give(taken);
    taken = 0;
  };
  const keep = (chunk: Buffer) => {
    if (chunks === null) return;
    size += chunk.length;
    const more = Math.max(0, size - taken);
    if (size > longestCopy || !room.take(more)) return drop();
    taken += more;
    chunks.push(chunk);
  };
  const ended = new Promise<"whole" | "cut">((resolve) => {
    request.once("end", () => resolve("whole"));
    request.once("close", () => resolve("cut"));
  });
  return {
    start: () => void request.on("data", keep),
    whole: async () => ((await ended) === "whole" && chunks !== null ? Buffer.concat(chunks) : null),
    drop,
  };
};
