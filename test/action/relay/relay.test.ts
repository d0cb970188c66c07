/** The relay between a client and the gateway: what passes, byte for byte, and what never does. */

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { connect as connectSecurely } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { logTo } from "../../../action/log.ts";
import { createNetwork } from "../../../action/network.ts";
import { type Authority, createAuthority } from "../../../action/relay/authority.ts";
import { type Relay, startRelay } from "../../../action/relay/relay.ts";
import { systemClock } from "../../../action/relay/session.ts";
import { tellInLog } from "../../../action/relay/tell.ts";
import { createWaits } from "../../../action/relay/waits.ts";
import { hostsOfSite, type StandinGateway, startGateway } from "../../standins/gateway.ts";
import { runToEnd } from "../../standins/job.ts";

const placeholder = randomBytes(32).toString("hex");
const token = `dws_${randomBytes(32).toString("base64url")}`;

let gateway: StandinGateway;
let authority: Authority;
let relay: Relay;
let logged: string;
let stopped: number;
const cleanUps: (() => unknown)[] = [];

type Answering = Parameters<typeof startGateway>[0];

const open = async (answer?: Answering, proxies: Record<string, string> = {}) => {
  gateway = await startGateway(answer);
  relay = await relayTo(gateway.url, proxies);
};

const relayTo = async (url: string, proxies: Record<string, string> = {}): Promise<Relay> => {
  logged = "";
  stopped = 0;
  const network = createNetwork(proxies);
  const session = { id: "0199-session", token: async () => token, stop() {} };
  const log = logTo({ write: (line) => (logged += line) });
  const to = { url: new URL(url), network };
  const tell = tellInLog(log, systemClock);
  const started = await startRelay({
    gateway: to,
    session,
    authority,
    placeholder,
    waits: createWaits({ gateway: to, session, clock: systemClock, timeout: 60_000, log, tell }),
    log,
    onStop: () => (stopped += 1),
  });
  cleanUps.push(
    () => started.close(0),
    () => network.close(),
  );
  return started;
};

beforeEach(async () => {
  authority = await createAuthority(hostsOfSite, Date.now);
  await open();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  await gateway.close();
});

const key = { "dd-api-key": placeholder };

const ask = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${relay.url}${path}`, init);
  return { status: answer.status, code: answer.headers.get("dogwatch-error"), body: await answer.text() };
};

/** Writes bytes as they are and gives everything that comes back. */
const raw = async (
  bytes: string | Buffer,
  to: Socket = connect(Number(new URL(relay.url).port), "127.0.0.1"),
): Promise<string> => {
  to.write(bytes);
  return text(to);
};

describe("who is served", () => {
  test.each([
    ["no key at all", {}],
    ["another key", { "dd-api-key": "0".repeat(32) }],
    ["an empty key", { "dd-api-key": "" }],
    ["the placeholder without its last character", { "dd-api-key": placeholder.slice(0, -1) }],
    ["the placeholder in a header that is no slot", { "x-api-key": placeholder }],
    ["basic credentials", { authorization: `Basic ${placeholder}` }],
  ])("a request with %s is refused in Datadog's error shape, and nothing is sent", async (_, headers) => {
    const refused = await ask("/api/v1/monitor", { headers: headers as Record<string, string> });
    expect(refused).toMatchObject({ status: 403, code: "token_missing" });
    expect(JSON.parse(refused.body)).toEqual({ errors: [expect.stringMatching(/^dogwatch: /)] });
    expect(gateway.received).toEqual([]);
  });

  test("a real key beside the placeholder never leaves the runner, nor gets into the log", async () => {
    const real = randomBytes(16).toString("hex");
    const refused = await ask("/api/v1/monitor", { headers: { ...key, "dd-application-key": real } });
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.body).toContain("dd-application-key");
    expect(gateway.received).toEqual([]);
    expect(refused.body + logged).not.toContain(real);
  });

  test("health and stop need the placeholder too", async () => {
    expect((await ask("/dogwatch/health")).status).toBe(403);
    expect((await ask("/dogwatch/stop", { method: "POST" })).status).toBe(403);
    expect(stopped).toBe(0);
    expect((await ask("/dogwatch/health", { headers: key })).body).toBe('{"status":"ok"}');
    expect((await ask("/dogwatch/stop", { method: "POST", headers: key })).status).toBe(202);
    expect(stopped).toBe(1);
  });

  test("the gateway's own API is reachable for this session only", async () => {
    await ask("/v1/token", { method: "POST", headers: key });
    await ask("/v1/sessions", { headers: key });
    expect(gateway.received.map(({ url }) => url)).toEqual([
      "/proxy/api.datadoghq.com/v1/token",
      "/proxy/api.datadoghq.com/v1/sessions",
    ]);
    for (const path of [
      "/another/close",
      "/0199-session2/close",
      "/0199-session/../another/close",
      "/0199-session/%2e%2e/x",
    ]) {
      const lines = [
        `POST /dogwatch/v1/sessions${path} HTTP/1.1`,
        "Host: x",
        `DD-API-KEY: ${placeholder}`,
        "Connection: close",
      ];
      expect(await raw(`${lines.join("\r\n")}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
    }
    expect(gateway.closed).toEqual([]);
  });
});

describe("token slots", () => {
  const slots: [string, string[], string, string][] = [
    [
      "Authorization: Bearer",
      ["-H", `Authorization: Bearer ${placeholder}`],
      "/api/v1/validate",
      `Authorization: Bearer ${token}`,
    ],
    ["DD-API-KEY", ["-H", `DD-API-KEY: ${placeholder}`], "/api/v1/validate", `DD-API-KEY: ${token}`],
    [
      "DD-APPLICATION-KEY",
      ["-H", `DD-APPLICATION-KEY: ${placeholder}`],
      "/api/v1/validate",
      `DD-APPLICATION-KEY: ${token}`,
    ],
    ["DD_API_KEY", ["-H", `DD_API_KEY: ${placeholder}`], "/api/v1/validate", `DD_API_KEY: ${token}`],
    [
      "DD_APPLICATION_KEY",
      ["-H", `DD_APPLICATION_KEY: ${placeholder}`],
      "/api/v1/validate",
      `DD_APPLICATION_KEY: ${token}`,
    ],
    ["?api_key", [], `/api/v1/series?a=1&api_key=${placeholder}&z=%7e`, `/api/v1/series?a=1&api_key=${token}&z=%7e`],
    [
      "?application_key",
      [],
      `/api/v1/series?application_key=${placeholder}`,
      `/api/v1/series?application_key=${token}`,
    ],
    ["?dd-api-key", [], `/api/v2/logs?dd-api-key=${placeholder}`, `/api/v2/logs?dd-api-key=${token}`],
    [
      "/v1/input/{key}",
      [],
      `/proxy/http-intake.logs.datadoghq.com/v1/input/${placeholder}?ddsource=x`,
      `/proxy/http-intake.logs.datadoghq.com/v1/input/${token}?ddsource=x`,
    ],
  ];

  test.each(slots)(
    "curl with the placeholder in %s: the session token goes in the same place, and nowhere else",
    async (_, args, path, expected) => {
      const { code, out } = await runToEnd("curl", ["-sS", ...args, `${relay.url}${path}`], {
        PATH: process.env["PATH"],
      });
      expect({ code, out }).toEqual({ code: 0, out: "{}" });
      const [received] = gateway.received;
      const headers = received?.rawHeaders ?? [];
      const lines = [received?.url, ...headers.flatMap((name, i) => (i % 2 ? [] : [`${name}: ${headers[i + 1]}`]))];
      expect(lines).toContain(expected);
      expect(lines.join("\n").split(token)).toHaveLength(2);
      expect(lines.join("\n")).not.toContain(placeholder);
      expect(logged).not.toContain(token);
      expect(logged).not.toContain(placeholder);
    },
  );
});

describe("fidelity", () => {
  test("method, path, query order, header names, order and repetition reach the gateway as they were written", async () => {
    const lines = [
      "PURGE /api/v1/query?b=2&a=%2f%2F&b=1&&c HTTP/1.1",
      "Host: ignored.example",
      `DD-API-KEY: ${placeholder}`,
      "X-Odd-CASE: 1",
      "x-odd-case: 2",
      "Accept: */*",
      "Keep-Alive: timeout=5",
      "X-Hop: of this connection",
      "Connection: close, x-hop",
      "Content-Length: 0",
    ];
    const answer = await raw(`${lines.join("\r\n")}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    const { method, url, rawHeaders } = gateway.received[0] as (typeof gateway.received)[0];
    expect({ method, url }).toEqual({ method: "PURGE", url: "/api/v1/query?b=2&a=%2f%2F&b=1&&c" });
    expect(rawHeaders.slice(0, -2)).toEqual([
      "Host",
      new URL(gateway.url).host,
      "DD-API-KEY",
      token,
      "X-Odd-CASE",
      "1",
      "x-odd-case",
      "2",
      "Accept",
      "*/*",
      "Content-Length",
      "0",
      "Prefer",
      "respond-async",
    ]);
  });

  test("status, reason, header order and repetition come back as the gateway wrote them", async () => {
    await gateway.close();
    const wire = [
      "HTTP/1.1 207 Quite Alright",
      "X-B: 2",
      "x-a: 1",
      "X-B: 3",
      "Date: yesterday",
      "Content-Length: 2",
      "",
      "ok",
    ].join("\r\n");
    const server = createSocketServer((socket) => void socket.once("data", () => socket.end(wire)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    relay = await relayTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const answer = await raw(
      `GET /api/v1/x HTTP/1.1\r\nHost: x\r\nDD-API-KEY: ${placeholder}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.split("\r\n").filter((line) => line !== "Connection: close")).toEqual(wire.split("\r\n"));
    server.close();
  });

  test.each([["chunked"], ["of known length"]])(
    "a body of 5 MB, %s, arrives whole, and so does its answer",
    async (framing) => {
      const body = randomBytes(5 * 1024 * 1024);
      const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
      await gateway.close();
      await open((call) => ({ status: 200, headers: ["content-encoding", "zstd1"], body: call.body }));
      const length = framing === "chunked" ? {} : { "content-length": body.length };
      const request = httpRequest(`${relay.url}/api/v2/series`, {
        method: "POST",
        headers: { ...key, "content-encoding": "zstd1", ...length },
      });
      request.write(body.subarray(0, 1000));
      request.end(body.subarray(1000));
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      expect(digest(await buffer(answer))).toBe(digest(body));
      expect(answer.headers["content-encoding"]).toBe("zstd1");
      expect(digest(gateway.received[0]?.body as Buffer)).toBe(digest(body));
      expect(gateway.received[0]?.rawHeaders.includes("Transfer-Encoding")).toBe(framing === "chunked");
    },
  );

  test("both directions stream: a chunk is passed on before the next one is there", async () => {
    await gateway.close();
    const server = createServer((incoming, outgoing) => void incoming.pipe(outgoing));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    relay = await relayTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const request = httpRequest(`${relay.url}/api/v2/echo`, { method: "POST", headers: key });
    request.write("first");
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect(String((await once(answer, "data"))[0])).toBe("first");
    request.write("second");
    expect(String((await once(answer, "data"))[0])).toBe("second");
    request.end();
    await once(answer.resume(), "end");
    server.close();
  });

  test("a client that goes away ends the call at the gateway", async () => {
    await gateway.close();
    const gone = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await open((_, __, response) => {
      response.once("close", gone.resolve);
      started.resolve();
      return null;
    });
    const request = httpRequest(`${relay.url}/api/v1/slow`, { headers: key });
    request.on("error", () => {});
    request.end();
    await started.promise;
    request.destroy();
    await gone.promise;
  });
});

describe("what would break a careless relay", () => {
  test("bytes outside ASCII in a header pass as they are", async () => {
    const head = Buffer.from(
      `GET /api/v1/x HTTP/1.1\r\nHost: x\r\nX-Name: \xfc\r\nDD-API-KEY: ${placeholder}\r\nConnection: close\r\n\r\n`,
      "latin1",
    );
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 200 /);
    expect(gateway.received[0]?.rawHeaders).toContain("\xfc");
  });

  test.each([
    ["two lengths", "POST /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n"],
    [
      "a length and chunks",
      "POST /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ],
    ["no HTTP at all", "\x16\x03\x01 hello\r\n"],
    ["no path", "GET api HTTP/1.1\r\nHost: x\r\n"],
    ["a URL that cannot be read", "GET https:///x HTTP/1.1\r\nHost: x\r\n"],
  ])("%s: 400, nothing is sent, and the relay lives on", async (_, head) => {
    expect(await raw(`${head}DD-API-KEY: ${placeholder}\r\nConnection: close\r\n\r\nabc`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(gateway.received).toEqual([]);
    expect((await ask("/dogwatch/health", { headers: key })).status).toBe(200);
  });
});

describe("when the gateway does not answer", () => {
  test("an answer that is cut short is cut short for the client too", async () => {
    await gateway.close();
    await open((_, request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => request.socket.destroy());
      return null;
    });
    const answer = await fetch(`${relay.url}/api/v1/monitor`, { headers: key });
    await expect(answer.text()).rejects.toThrow("terminated");
  });

  test.each([[429], [503], [403]])("its own %i passes through, and is not tried again", async (status) => {
    await gateway.close();
    await open(() => ({
      status,
      headers: ["dogwatch-error", "denied", "dogwatch-call", "s/1"],
      body: '{"errors":["no"]}',
    }));
    expect(await ask("/api/v1/monitor", { headers: key })).toEqual({
      status,
      code: "denied",
      body: '{"errors":["no"]}',
    });
    expect(gateway.received).toHaveLength(1);
    expect(logged).toContain(`GET api.datadoghq.com/api/v1/monitor: HTTP ${status} denied (call s/1)`);
  });

  test("a gateway that cannot be reached: 502, and the message says that nothing was sent", async () => {
    await gateway.close();
    const refused = await ask("/api/v1/monitor/1", { method: "DELETE", headers: key });
    expect(refused).toMatchObject({ status: 502, code: "upstream_unreachable" });
    expect(refused.body).toContain("nothing was sent");
  });

  test("a write waits for a gateway that comes back at once, and is sent once, whole", async () => {
    const port = Number(new URL(gateway.url).port);
    await gateway.close();
    const asked = ask("/api/v1/monitor", { method: "POST", headers: key, body: "the whole body" });
    const bodies: string[] = [];
    const server = createServer((incoming, outgoing) => {
      void text(incoming).then((body) => outgoing.end(String(bodies.push(body))));
    });
    server.listen(port, "127.0.0.1");
    expect(await asked).toMatchObject({ status: 200 });
    expect(bodies).toEqual(["the whole body"]);
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ["POST", 403, "outcome_unknown"],
    ["DELETE", 403, "outcome_unknown"],
    ["GET", 502, "upstream_unreachable"],
  ])("a %s whose connection is cut after it was sent: %i %s, sent once", async (method, status, code) => {
    await gateway.close();
    await open((_, request) => {
      request.socket.destroy();
      return null;
    });
    expect(await ask("/api/v1/monitor", { method, headers: key })).toMatchObject({ status, code });
    expect(gateway.received).toHaveLength(1);
  });
});

describe("as a proxy", () => {
  const connectTo = async (authority: string): Promise<Socket> => {
    const request = httpRequest({
      host: "127.0.0.1",
      port: new URL(relay.url).port,
      method: "CONNECT",
      path: authority,
    });
    request.end();
    const [answer, socket] = (await once(request, "connect")) as [IncomingMessage, Socket];
    if (answer.statusCode !== 200) throw new Error(`CONNECT: ${answer.statusCode}`);
    return socket;
  };

  const overTls = async (host: string, servername = host) => {
    const socket = connectSecurely({
      socket: await connectTo(`${host}:443`),
      servername,
      ca: authority.certificate,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    return socket;
  };

  /** Gives back what it gets, and counts. */
  const startEcho = async () => {
    const server = createSocketServer((socket) => void socket.pipe(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUps.push(() => server.close());
    return (server.address() as AddressInfo).port;
  };

  test("TLS for a Datadog host ends here, with a certificate for that one name, in HTTP/1.1", async () => {
    const socket = await overTls("http-intake.logs.datadoghq.com");
    expect(socket.authorized).toBe(true);
    expect(socket.alpnProtocol).toBe("http/1.1");
    expect(socket.getPeerCertificate().subjectaltname).toBe("DNS:http-intake.logs.datadoghq.com");
    const request = `POST /api/v2/logs?x=1 HTTP/1.1\r\nHost: http-intake.logs.datadoghq.com\r\nDD-API-KEY: ${placeholder}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]`;
    expect(await raw(request, socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect(gateway.received[0]).toMatchObject({
      method: "POST",
      url: "/proxy/http-intake.logs.datadoghq.com/api/v2/logs?x=1",
    });
  });

  test("a request inside it that names another host is refused", async () => {
    for (const host of ["app.datadoghq.com", "evil.example", "api.datadoghq.com.evil.example"]) {
      const socket = await overTls("api.datadoghq.com");
      const answer = await raw(
        `GET / HTTP/1.1\r\nHost: ${host}\r\nDD-API-KEY: ${placeholder}\r\nConnection: close\r\n\r\n`,
        socket,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    }
    expect(gateway.received).toEqual([]);
  });

  test("a name that is not of this session gets no certificate", async () => {
    await expect(overTls("api.datadoghq.com", "evil.example")).rejects.toThrow(/disconnected|ECONNRESET|alert/);
    expect(gateway.received).toEqual([]);
  });

  test("every other host is tunnelled untouched", async () => {
    const socket = await connectTo(`127.0.0.1:${await startEcho()}`);
    const bytes = randomBytes(300_000);
    socket.end(bytes);
    expect((await buffer(socket)).equals(bytes)).toBe(true);
    expect(gateway.received).toEqual([]);
  });

  test("a host that cannot be reached, and a place that cannot be read, are said so", async () => {
    await expect(connectTo("127.0.0.1:1")).rejects.toThrow("502");
    await expect(connectTo("nonsense")).rejects.toThrow("400");
    await expect(connectTo("127.0.0.1:70000")).rejects.toThrow("400");
  });

  test("the proxy that the job already had is used for tunnels, and its exceptions hold", async () => {
    const port = await startEcho();
    const asked: (string | undefined)[][] = [];
    const proxy = createServer().on("connect", (request, socket) => {
      asked.push([request.url, request.headers["proxy-authorization"]]);
      const onward = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      onward.pipe(socket).pipe(onward);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    cleanUps.push(() => proxy.close());
    const address = `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    relay = await relayTo(gateway.url, { HTTPS_PROXY: address, NO_PROXY: "localhost,127.0.0.1" });
    const far = await connectTo("far.example:8443");
    far.end("hello");
    expect(await text(far)).toBe("hello");
    const near = await connectTo(`127.0.0.1:${port}`);
    near.end("near");
    expect(await text(near)).toBe("near");
    expect(asked).toEqual([["far.example:8443", `Basic ${Buffer.from("user:p@ss").toString("base64")}`]]);
  });

  test("a client that sends the whole URL to its proxy is served, Datadog's hosts through the gateway and others directly", async () => {
    const other = createServer(
      (request, response) =>
        void response.end(`${request.headers.host}${request.url} ${String(request.headers["dd-api-key"])}`),
    );
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    cleanUps.push(() => other.close());
    const through = async (url: string, headers: Record<string, string>) => {
      const request = httpRequest({
        host: "127.0.0.1",
        port: new URL(relay.url).port,
        path: url,
        headers,
        agent: new Agent(),
      });
      request.end();
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      return text(answer);
    };
    await through("https://api.datadoghq.com/api/v1/validate?a=%2F", key);
    expect(gateway.received[0]?.url).toBe("/proxy/api.datadoghq.com/api/v1/validate?a=%2F");
    const place = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await through(`http://${place}/x?y=%2f`, { "dd-api-key": "its own" })).toBe(`${place}/x?y=%2f its own`);
    other.closeAllConnections();
  });

  test("what is open and carries no call does not hold up the end; a call that is under way gets its answer", async () => {
    await gateway.close();
    const asked = Promise.withResolvers<() => void>();
    await open((_call, _request, response) => {
      asked.resolve(() => void response.end("{}"));
      return null;
    });
    const host = "api.datadoghq.com";
    const line = `HTTP/1.1\r\nHost: ${host}\r\nDD-API-KEY: ${placeholder}\r\n\r\n`;
    const silent = connect(Number(new URL(relay.url).port), "127.0.0.1");
    await once(silent, "connect");
    const idle = await overTls(host);
    const busy = await overTls(host);
    const overs = [silent, idle, busy].map((socket) => text(socket));
    busy.write(`GET /api/v1/monitor ${line}`);
    const letGo = await asked.promise;
    const closed = relay.close(600_000);
    await Promise.all([overs[0], overs[1]]);
    letGo();
    expect(await overs[2]).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
  });
});
