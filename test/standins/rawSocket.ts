/** Writes bytes to a port as they are, and reads what comes back until the other side closes: for requests no client would send. */

import { connect } from "node:net";

export function rawExchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, "latin1"));
    let answer = "";
    // A server that keeps the connection open after its answer is asked no more.
    const quiet = setTimeout(() => socket.destroy(), 5_000);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
      if (/\r\n\r\n[^]*}$/.test(answer)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(quiet);
      resolve(answer);
    });
  });
}
