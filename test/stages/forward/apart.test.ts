/** A replay's connection never leads to where a live one goes: not by alias, by list of hosts, by number, nor by a name that changes its mind. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addressApart, NotApart, type Resolve } from "../../../server/stages/forward/apart.ts";
import { isBroken, originsOf, Upstreams } from "../../../server/stages/forward/upstream.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "lab.example": ["192.0.2.10"],
  "prod.example": ["192.0.2.7", "2001:db8::7"],
  "alias.example": ["192.0.2.7"],
  "second.example": ["192.0.2.10", "2001:db8:0:0::7"],
  "mapped.example": ["::ffff:192.0.2.7"],
  "zone.example": ["2001:db8::7%eth0"],
};
const resolve: Resolve = async (host) => {
  if (host === "broken.example") throw new Error("queryA ETIMEOUT");
  return names[host] ?? [];
};
const here = () => ["127.0.0.1", "192.0.2.77", "fe80::1"];
const apartFrom = (...live: readonly string[]) => ({ resolve, live: () => live, here });

test.each([
  ["the same name", "https://prod.example"],
  ["another name of the same address", "https://alias.example"],
  ["one of several addresses", "https://second.example"],
  ["IPv4 in IPv6", "https://mapped.example"],
  ["with a zone", "https://zone.example"],
  ["the number", "https://192.0.2.7"],
  ["the number in IPv6", "https://[2001:db8::7]"],
])("not to %s", async (_, origin) => {
  await expect(addressApart(origin, apartFrom("https://prod.example"))).rejects.toThrow(NotApart);
  await expect(addressApart("https://prod.example", apartFrom(origin))).rejects.toThrow(NotApart);
});

test.each(["https://192.0.2.77:8443", "https://[fe80::1]:8443"])(
  "not to this machine by another of its addresses: %s",
  async (origin) => {
    await expect(addressApart(origin, apartFrom("https://127.0.0.1:8443"))).rejects.toThrow(NotApart);
    await expect(addressApart("https://127.0.0.1:8443", apartFrom(origin))).rejects.toThrow(NotApart);
    await expect(
      addressApart(origin.replace("8443", "8444"), apartFrom("https://127.0.0.1:8443")),
    ).resolves.toBeDefined();
  },
);

test("not when it cannot be told: neither of the sandbox nor of the live one", async () => {
  await expect(addressApart("https://broken.example", apartFrom("https://prod.example"))).rejects.toThrow(
    /nobody can say/,
  );
  await expect(addressApart("https://lab.example", apartFrom("https://broken.example"))).rejects.toThrow(
    /nobody can say/,
  );
  await expect(addressApart("https://nowhere.example", apartFrom())).rejects.toThrow(/has no address/);
});

test("to another address, or another port of the same one", async () => {
  expect(await addressApart("https://lab.example", apartFrom("https://prod.example"))).toBe("192.0.2.10");
  expect(await addressApart("https://alias.example:8443", apartFrom("https://prod.example"))).toBe("192.0.2.7");
  // A live name that is not there leads nowhere.
  expect(await addressApart("https://lab.example", apartFrom("https://nowhere.example"))).toBe("192.0.2.10");
  // Those on other ports are not even asked about.
  expect(await addressApart("http://127.0.0.1:9090", apartFrom("https://broken.example"))).toBe("127.0.0.1");
});

test("a live connection without an endpoint goes to every host of its site", () => {
  expect(originsOf({ site: "datadoghq.com" })).toContain("https://http-intake.logs.datadoghq.com");
  expect(originsOf({ site: "datadoghq.com", endpoint: "http://127.0.0.1:9" })).toEqual(["http://127.0.0.1:9"]);
});

let server: Server;
let port = 0;
const hosts: (string | undefined)[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const outgoing = { method: "GET", host: "api.datadoghq.com", target: "/api/v1/monitor", headers: [], body: null };

test("what is compared is what is connected to, once: a name that changes its mind leads nowhere else", async () => {
  const asked: string[] = [];
  const answers = ["127.0.0.1", "192.0.2.7"];
  const changing: Resolve = async (host) => {
    asked.push(host);
    return [answers.shift() ?? "192.0.2.7"];
  };
  const upstreams = new Upstreams();
  const apart = { resolve: changing, live: () => ["https://192.0.2.7"], here };
  const answer = await upstreams.sendApart(`http://lab.example:${port}`, outgoing, apart).answered;
  if (isBroken(answer)) throw new Error(answer.message);
  await answer.body.collect();
  expect(answer.status).toBe(200);
  expect(asked).toEqual(["lab.example"]);
  expect(hosts).toEqual(["api.datadoghq.com"]);
  await upstreams.close();
});

test("nothing is sent where a live connection goes, and it is said why", async () => {
  const before = hosts.length;
  const upstreams = new Upstreams();
  const apart = { resolve: async () => ["127.0.0.1"], live: () => [`http://prod.example:${port}`], here };
  const answer = await upstreams.sendApart(`http://lab.example:${port}`, outgoing, apart).answered;
  expect(answer).toMatchObject({ broken: "network", sent: false });
  expect(isBroken(answer) && answer.message).toContain(`lab.example is at 127.0.0.1:${port}, which is where a live`);
  expect(hosts.length).toBe(before);
  await upstreams.close();
});

test("a connection that is there already is not used once a live one goes to its address", async () => {
  const upstreams = new Upstreams();
  let live: readonly string[] = [];
  const apart = { resolve: async () => ["127.0.0.1"], live: () => live, here };
  const origin = `http://lab.example:${port}`;
  const sockets = new Set<unknown>();
  server.on("request", ({ socket }) => sockets.add(socket));
  // Until one was used again, so that there is one to be used again.
  for (let sent = 0; sent === sockets.size; sent++) {
    const answer = await upstreams.sendApart(origin, outgoing, apart).answered;
    if (isBroken(answer)) throw new Error(answer.message);
    await answer.body.collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const before = hosts.length;
  live = [`http://prod.example:${port}`];
  expect(await upstreams.sendApart(origin, outgoing, apart).answered).toMatchObject({ broken: "network", sent: false });
  expect(hosts.length).toBe(before);
  live = [];
  expect(await upstreams.sendApart(origin, outgoing, apart).answered).toMatchObject({ status: 200 });
  await upstreams.close();
});
