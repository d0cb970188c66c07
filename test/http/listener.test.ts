/** The port itself: whoever sends the gateway's own API a body byte by byte does not keep a connection. */

import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createListener } from "../../server/http/listener.ts";
import { RawConnection } from "../standins/rawSocket.ts";

test("a body that does not arrive in time costs its connection, and one that does costs nothing", async () => {
  const server = createListener(
    {
      dataHosts: () => undefined,
      hide: (text) => text,
      audit: () => undefined,
      passCall: () => Promise.resolve(),
      stopping: () => false,
      bodyPatience: 50,
    },
    (request, response) => void request.resume().on("end", () => response.end("read")),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const slow = new RawConnection(url);
    await slow.write("POST /v1/token HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\ngrant_type=");
    await slow.over;
    expect(slow.text).toBe("");
    const quick = new RawConnection(url);
    await quick.write("POST /v1/token HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na=");
    await quick.until(/read/);
    quick.destroy();
  } finally {
    server.close();
  }
});
