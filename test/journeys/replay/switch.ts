/** An address behind which one sandbox can take the place of another, and which can change what one of its answers says. */

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** The n-th answer since the last sandbox came, from 1: its status and its bytes. Of calls that come together any may be the first. */
export type Tamper = (n: number, answer: Tampered, request: Asked) => Tampered | Promise<Tampered>;
export type Tampered = { readonly status: number; readonly body: Buffer };
export type Asked = { readonly method: string; readonly path: string };

export type Switch = {
  readonly url: string;
  /** From now on this one answers. */
  to(url: string, tamper?: Tamper): void;
  close(): Promise<void>;
};

export async function startSwitch(): Promise<Switch> {
  let target = "";
  let tamper: Tamper | undefined;
  let answered = 0;
  const server = createServer((request, response) => {
    const n = ++answered;
    const { hostname, port } = new URL(target);
    const { method, url: path, rawHeaders: headers } = request;
    const onwards = httpRequest({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", async () => {
        const said = { status: answer.statusCode ?? 0, body: Buffer.concat(pieces) };
        const { status, body } =
          (await tamper?.(n, said, { method: method ?? "", path: path?.split("?")[0] ?? "" })) ?? said;
        const type = answer.headers["content-type"];
        const bodiless = status === 204 || method === "HEAD";
        response.writeHead(status, {
          ...(type !== undefined && { "content-type": type }),
          ...(!bodiless && { "content-length": body.length }),
        });
        response.end(bodiless ? undefined : body);
      });
    });
    onwards.on("error", () => response.destroy());
    request.pipe(onwards);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (url, tampering) => {
      target = url;
      tamper = tampering;
      answered = 0;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
