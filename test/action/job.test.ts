/** The bundle, run as a runner runs it: a job's calls go through the relay, and `post` leaves nothing behind. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer as createSecureServer } from "node:tls";
import { isAlive } from "../../action/launch.ts";
import type { ApprovalJson } from "../../server/contract.ts";
import { createAuthority } from "../../action/relay/authority.ts";
import { callJson, startGateway, type StandinGateway } from "../standins/gateway.ts";
import { insteadOfNoting, type Job, newJob, startTokenService, type TokenService } from "../standins/job.ts";

let gateway: StandinGateway;
let service: TokenService;
let job: Job;

beforeEach(async () => {
  gateway = await startGateway();
  service = await startTokenService();
  job = newJob(service.env);
});

afterEach(async () => {
  job.dispose();
  await gateway.close();
  await service.close();
});

const inputs = (more: Record<string, string> = {}) => ({ "gateway-url": gateway.url, intercept: "proxy", ...more });

const relayPid = (): number => (JSON.parse(job.state["relay"] as string) as { pid: number }).pid;

const curl = (path: string, args: readonly string[] = []) =>
  job.step("curl", ["-sS", "-H", `DD-API-KEY: ${job.env["DD_API_KEY"]}`, ...args, `${job.env["DATADOG_HOST"]}${path}`]);

describe("a job from its beginning to its end", () => {
  test("opens a session, leads clients to the relay, closes the session and writes the summary", async () => {
    const main = await job.main(inputs({ connection: "prod" }));
    expect(main).toMatchObject({ code: 0, signal: null });
    expect(Object.fromEntries(gateway.exchanges[0] ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: service.minted[0],
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      connection: "prod",
    });
    expect(service.audiences).toEqual([gateway.url]);
    const pid = relayPid();
    expect(isAlive(pid)).toBe(true);

    expect((await curl("/api/v1/monitor?tags=a%2Cb&page=0")).out).toBe("{}");
    expect(gateway.received[0]).toMatchObject({ method: "GET", url: "/api/v1/monitor?tags=a%2Cb&page=0" });
    expect(gateway.received[0]?.rawHeaders).toContain(gateway.tokens[0]);

    const session = job.outputs["session-id"] as string;
    gateway.calls.push(callJson(session, 1));
    const post = await job.post();
    expect(post).toMatchObject({ code: 0 });
    expect(gateway.closed).toEqual([session]);
    expect(isAlive(pid)).toBe(false);
    expect(job.summary()).toContain(`${gateway.url}/sessions/${session}`);
    expect(job.summary()).toContain("v1.MonitorsApi.ListMonitors");
    expect(post.out).toContain("::group::Dogwatch relay log");
    expect(await curl("/api/v1/monitor")).toMatchObject({ code: 7 });
  });

  test("exports what each kind of client reads, and gives the outputs", async () => {
    await job.main(inputs());
    const { "relay-url": url, "api-key": key, ...rest } = job.outputs;
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(rest).toEqual({
      "session-id": expect.any(String),
      "session-url": `${gateway.url}/sessions/${job.outputs["session-id"]}`,
    });
    const { NODE_EXTRA_CA_CERTS: bundle, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, ...others } = job.env;
    expect(others).toEqual({
      DD_API_KEY: key,
      DATADOG_API_KEY: key,
      DD_APP_KEY: key,
      DATADOG_APP_KEY: key,
      DD_SITE: "datadoghq.com",
      DATADOG_SITE: "datadoghq.com",
      DATADOG_HOST: url,
      DD_HOST: url,
      DD_DD_URL: url,
      PUP_MOCK_SERVER: url,
      HTTPS_PROXY: url,
      https_proxy: url,
      NODE_USE_ENV_PROXY: "1",
      NO_PROXY: "127.0.0.1,localhost,::1",
      no_proxy: "127.0.0.1,localhost,::1",
    });
    expect([SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE]).toEqual([bundle, bundle, bundle]);
    expect(readFileSync(bundle as string, "utf8").split("-----BEGIN CERTIFICATE-----").length).toBeGreaterThan(10);
  });

  test("a Datadog key that the job still has is warned of by name, and replaced", async () => {
    const main = await job.main(inputs(), { DD_API_KEY: "a real key", DD_APP_KEY: "" });
    expect(main.out).toContain("::warning::DD_API_KEY is set in this job");
    expect(main.out).not.toContain("a real key");
    expect(job.env["DD_API_KEY"]).toBe(job.outputs["api-key"]);
  });

  test("intercept: off changes neither proxy nor certificates", async () => {
    await job.main(inputs({ intercept: "off" }));
    expect(Object.keys(job.env).toSorted()).toEqual([
      "DATADOG_API_KEY",
      "DATADOG_APP_KEY",
      "DATADOG_HOST",
      "DATADOG_SITE",
      "DD_API_KEY",
      "DD_APP_KEY",
      "DD_DD_URL",
      "DD_HOST",
      "DD_SITE",
      "PUP_MOCK_SERVER",
    ]);
    expect((await curl("/api/v1/validate")).out).toBe("{}");
  });

  test("later steps get the proxy back that the job had, and what each client trusted is still trusted", async () => {
    const bundle = join(job.directory, "company.pem");
    writeFileSync(bundle, "# the company's own\n");
    const before = {
      HTTPS_PROXY: "http://proxy.example:3128",
      NO_PROXY: "intranet.example",
      REQUESTS_CA_BUNDLE: bundle,
    };
    await job.main(inputs(), before);
    expect(job.env).toMatchObject({
      HTTPS_PROXY: job.outputs["relay-url"],
      NO_PROXY: "intranet.example,127.0.0.1,localhost,::1",
    });
    expect(readFileSync(job.env["REQUESTS_CA_BUNDLE"] as string, "utf8")).toMatch(/^# the company's own\n-----BEGIN/);
    await job.post();
    expect(job.env).toMatchObject({
      HTTPS_PROXY: before.HTTPS_PROXY,
      https_proxy: "",
      NO_PROXY: before.NO_PROXY,
      NODE_USE_ENV_PROXY: "",
    });
  });

  test("a gateway behind the company's proxy and certificate authority is reached by main, relay and post", async () => {
    const authority = await createAuthority(["gateway.example"], Date.now);
    const certificate = join(job.directory, "company.pem");
    writeFileSync(certificate, authority.certificate);
    const behind = createSecureServer(
      { SNICallback: (name, done) => void authority.contextOf(name).then((context) => done(null, context)) },
      (socket) => {
        const onward = connect(Number(new URL(gateway.url).port), "127.0.0.1");
        for (const side of [socket, onward]) side.on("error", () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      },
    );
    const asked: (string | undefined)[] = [];
    const proxy = createServer().on("connect", (request, socket) => {
      asked.push(request.url);
      socket.on("error", () => {});
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      behind.emit("connection", socket);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const company = {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: certificate,
    };

    const main = await job.main(inputs({ "gateway-url": "https://gateway.example/" }), company);
    expect(main.code, main.out).toBe(0);
    expect(service.audiences).toEqual(["https://gateway.example"]);
    const body = "a body that is read only once there is a connection";
    expect((await curl("/api/v1/events", ["-d", body])).out).toBe("{}");
    expect(gateway.received.map((call) => call.body.toString())).toEqual([body]);
    expect((await job.post()).code).toBe(0);
    expect(gateway.closed).toHaveLength(1);
    expect(new Set(asked)).toEqual(new Set(["gateway.example:443"]));
    proxy.closeAllConnections();
    proxy.close();
  });

  test("a session that would expire is renewed with fresh identity tokens while steps run", async () => {
    gateway.expiresIn = 1;
    await job.main(inputs());
    const session = job.outputs["session-id"];
    await expect.poll(() => gateway.exchanges.length, { timeout: 20_000 }).toBeGreaterThan(2);
    expect((await curl("/api/v1/validate")).out).toBe("{}");
    const used = gateway.received[0]?.rawHeaders.find((value) => value.startsWith("dws_")) as string;
    expect(gateway.tokens.indexOf(used)).toBeGreaterThan(0);
    expect(gateway.exchanges.slice(1).map((form) => form.get("session"))).toEqual(
      gateway.exchanges.slice(1).map(() => session),
    );
    const presented = gateway.exchanges.map((form) => form.get("subject_token"));
    expect(new Set(presented).size).toBe(presented.length);
    expect((await job.post()).code).toBe(0);
    expect(gateway.closed).toEqual([session]);
  });
});

describe("secrets", () => {
  test("neither identity nor session token is in the relay's environment or arguments, in what steps see, in a log or in the summary", async () => {
    const secrets = () => [...service.minted, ...gateway.tokens, service.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN];
    const main = await job.main(inputs(), { SOME_SECRET: "of another step" });
    await curl("/api/v1/monitor");
    const proc = `/proc/${relayPid()}`;
    const environment = existsSync(proc) ? readFileSync(`${proc}/environ`, "latin1") : "";
    const args = existsSync(proc) ? readFileSync(`${proc}/cmdline`, "latin1") : "";
    expect(environment).not.toMatch(/ACTIONS_|INPUT_|SOME_SECRET/);
    gateway.calls.push(callJson(job.outputs["session-id"] as string, 1));
    const post = await job.post();
    // The runner takes these lines to hide the values everywhere else; they are not shown.
    const shown = main.out.replace(/^::add-mask::.*$/gm, "");
    for (const secret of secrets()) {
      for (const place of [
        environment,
        args,
        shown,
        post.out,
        job.summary(),
        job.relayLog(),
        JSON.stringify([job.env, job.outputs, job.state]),
      ])
        expect(place.includes(secret)).toBe(false);
    }
    for (const secret of [...service.minted, ...gateway.tokens, job.outputs["api-key"]])
      expect(main.out).toContain(`::add-mask::${secret}\n`);
  });

  test("the log that post prints cannot give the runner commands", async () => {
    await job.main(inputs());
    await job.step("curl", ["-sS", "-g", "--path-as-is", `${job.env["DATADOG_HOST"]}/api/::error::owned`]);
    const { out } = await job.post();
    const fence = /::stop-commands::(\S+)/.exec(out)?.[1];
    expect(out.slice(out.indexOf(`::stop-commands::${fence}`), out.lastIndexOf(`::${fence}::`))).toContain(
      "::error::owned",
    );
  });
});

describe("a call that waits for a person", () => {
  const monitor = "/api/v1/monitor/4212";
  const waiting = async () => {
    await expect.poll(() => gateway.approvals.polls.length, { timeout: 20_000 }).toBeGreaterThan(1);
    return gateway.approvals.asked[0] as ApprovalJson;
  };
  const status = ["-X", "DELETE", "-w", " %{http_code}"];

  beforeEach(() => {
    gateway.approvals.holds = () => true;
  });

  test("passes when it is approved; the log tells of the wait, the summary of who answered and when", async () => {
    await job.main(inputs());
    const session = job.outputs["session-id"] as string;
    const deleted = curl(monitor, status);
    const { id, url } = await waiting();
    const at = "2026-01-01T00:02:10.000Z";
    const by = { verdict: "approve", by: "github:ana", via: "comment", at, accepted: true, reason: "" } as const;
    gateway.approvals.decide("approved", { answers: [by] });
    expect((await deleted).out).toBe("{} 200");
    expect(gateway.approvals.passed).toHaveLength(1);

    const deletion = { operation: "v1.MonitorsApi.DeleteMonitor", method: "DELETE", approval_id: id } as const;
    gateway.calls.push(
      callJson(session, 1, { ...deletion, state: "refused", status: 202, error_code: "approval_required" }),
      callJson(session, 2, deletion),
    );
    const post = await job.post();
    expect(post.out).toContain(`waiting for approval of DeleteMonitor: ${url}, 30m left`);
    expect(post.out).toContain("approval of DeleteMonitor: approved, it is sent now");
    expect(job.summary()).toContain("<h4>Approvals</h4>");
    expect(job.summary()).toContain(`approve by github:ana (comment, ${at})`);
    expect(job.summary()).not.toContain("<h4>Refused</h4>");
  });

  test("approval-timeout is how long it waits", async () => {
    await job.main(inputs({ "approval-timeout": "1s" }));
    const { out } = await curl(monitor, status);
    expect(out).toMatch(/nobody answered within 1s \(approval-timeout\).* 403$/);
    expect(gateway.approvals.passed).toEqual([]);
  });

  test("is called off by post: the client hears it, the question is cancelled, and post does not wait", async () => {
    await job.main(inputs());
    const deleted = curl(monitor, status);
    const approval = await waiting();
    const post = await job.post();
    expect(post.code).toBe(0);
    expect((await deleted).out).toMatch(/DeleteMonitor was not sent: .* 403$/);
    expect(approval.state).toBe("cancelled");
    expect(gateway.closed).toEqual([job.outputs["session-id"]]);
    expect(gateway.approvals.passed).toEqual([]);
  });

  test("is called off when the runner ends the relay with SIGTERM, which closes the session", async () => {
    await job.main(inputs());
    const deleted = curl(monitor, status);
    const approval = await waiting();
    process.kill(relayPid(), "SIGTERM");
    expect((await deleted).out).toMatch(/ 403$/);
    await expect.poll(() => isAlive(relayPid()), { timeout: 20_000 }).toBe(false);
    expect(approval.state).toBe("cancelled");
    expect(gateway.closed).toEqual([job.outputs["session-id"]]);
    expect(job.relayLog()).toContain("the relay is ended by a signal, and closes the session");
  });

  test("is not sent by a relay that was killed", async () => {
    await job.main(inputs());
    const deleted = curl(monitor, status);
    await waiting();
    process.kill(relayPid(), "SIGKILL");
    expect((await deleted).code).not.toBe(0);
    gateway.approvals.decide("approved");
    expect((await job.post()).code).toBe(0);
    expect(gateway.approvals.passed).toEqual([]);
    expect(gateway.closed).toEqual([job.outputs["session-id"]]);
  });
});

describe("when no session can be opened, one line says what to do, and nothing is exported", () => {
  const annotations = (out: string) => out.split("\n").filter((line) => /^::(error|warning)/.test(line));

  const failing = async (given: Record<string, string>, env: NodeJS.ProcessEnv = {}) => {
    const main = await job.main(given, env);
    expect(main.code).toBe(1);
    expect(job.env).toEqual({});
    const [line, ...more] = annotations(main.out);
    expect(more).toEqual([]);
    expect((await job.post()).code).toBe(0);
    return line;
  };

  test("permissions: id-token: write is missing", async () => {
    const none = { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" };
    expect(await failing(inputs(), none)).toBe(
      "::error::the job may not ask GitHub for an identity token: add `permissions: id-token: write` to the workflow or job",
    );
    expect(gateway.exchanges).toEqual([]);
  });

  test("the pull request comes from a fork", async () => {
    const event = join(job.directory, "event.json");
    const pull_request = { head: { repo: { full_name: "stranger/app" } }, base: { repo: { full_name: "acme/app" } } };
    writeFileSync(event, JSON.stringify({ pull_request }));
    const none = { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "", GITHUB_EVENT_PATH: event };
    expect(await failing(inputs(), none)).toMatch(/comes from a fork: .*on-unavailable: skip/);
    const skipped = await job.main(inputs({ "on-unavailable": "skip" }), none);
    expect(skipped.code).toBe(0);
    expect(annotations(skipped.out)).toEqual([
      expect.stringMatching(/^::warning::Dogwatch is not used in this job: .*fork/),
    ]);
  });

  test("the gateway is down: tried again with a fresh token each time, then said so; or skipped", async () => {
    await gateway.close();
    expect(await failing(inputs())).toMatch(
      /^::error::the gateway http:\/\/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\): check gateway-url/,
    );
    expect(new Set(service.minted).size).toBe(3);
    const skipped = await job.main(inputs({ "on-unavailable": "skip" }));
    expect(skipped.code).toBe(0);
    expect(job.env).toEqual({});
  });

  const refusal = (code: string, error_description: string) => ({
    status: 400,
    body: { error: "invalid_request", error_description, code },
  });

  test.each([
    [
      "audience_mismatch",
      "aud is https://a, expected https://b",
      /aud is https:\/\/a, expected https:\/\/b\. What to do: this job asked for audience http:\/\/127.*set the input `audience`/,
    ],
    [
      "connection_not_allowed",
      "connection prod expired",
      /connection prod expired\. What to do: set the input `connection` \(now prod\)/,
    ],
    ["caller_not_allowed", "allow is false", /What to do: the issuer's `allow`/],
    ["a_code_of_later", "two\nlines", /two lines\. What to do: see the gateway's audit log/],
  ])("the gateway says %s: not tried again, and never skipped", async (code, description, expected) => {
    gateway.refuse = refusal(code, description);
    expect(await failing(inputs({ connection: "prod", "on-unavailable": "skip" }))).toMatch(expected);
    expect(gateway.exchanges).toHaveLength(1);
  });

  test("the gateway cannot serve now: it is asked again, each time with another token", async () => {
    gateway.refuse = {
      status: 503,
      body: { error: "temporarily_unavailable", error_description: "the issuer is away", code: "issuer_unreachable" },
    };
    expect(await failing(inputs())).toContain("cannot serve now (HTTP 503: the issuer is away)");
    expect(new Set(gateway.exchanges.map((form) => form.get("subject_token"))).size).toBe(3);
  });

  test("the job's own proxy cannot be read", async () => {
    expect(await failing(inputs(), { HTTPS_PROXY: "http://us%er:secret@proxy" })).toBe(
      "::error::HTTPS_PROXY of this job is not a URL: percent-encode what is special in its user and password",
    );
  });

  test("something else listens at the address", async () => {
    gateway.refuse = { status: 404, body: "<html>" };
    expect(await failing(inputs())).toContain("not as a Dogwatch gateway does: check gateway-url");
  });

  test.each([
    [{ "gateway-url": "" }, /the input gateway-url is missing/],
    [{ "gateway-url": "dogwatch.example.com" }, /gateway-url is not the address of a gateway/],
    [{ "gateway-url": "http://dogwatch.example.com" }, /gateway-url starts with http:\/\/.*use https/],
    [{ intercept: "yes" }, /the input intercept is "yes": it may be auto, hosts, proxy, off/],
    [{ "on-unavailable": "ignore" }, /it may be fail, skip/],
    [{ "approval-timeout": "0s" }, /approval-timeout is "0s"/],
    [{ "approval-timeout": "121h" }, /approval-timeout is "121h": .*at most 120h/],
    [{ "approval-timeout": "-5m" }, /approval-timeout is "-5m"/],
    [{ "approval-timeout": "30" }, /approval-timeout is "30": give a duration like 90s, 30m or 2h/],
  ])("the input is %j", async (given, expected) => {
    expect(await failing(inputs(given as Record<string, string>))).toMatch(expected);
    expect(gateway.exchanges).toEqual([]);
  });
});

describe("a job that is cancelled", () => {
  const relayUrl = () => /http:\/\/127\.0\.0\.1:\d+/.exec(job.relayLog())?.[0] ?? "";
  const answers = () =>
    fetch(relayUrl()).then(
      () => true,
      () => false,
    );

  test.each([
    ["is killed", 'process.kill(process.pid, "SIGKILL")', null],
    ["finds the disk full", 'throw new Error("ENOSPC: no space left on device")', 1],
  ])("leaves no relay when main %s before post can know of it", async (_name, what, code) => {
    const main = await job.main(inputs(), insteadOfNoting(what));
    expect(main.code).toBe(code);
    expect(job.state["relay"]).toBeUndefined();
    await expect.poll(answers, { timeout: 20_000 }).toBe(false);
    expect((await job.post()).code).toBe(0);
    expect(gateway.closed).toEqual([(JSON.parse(job.state["session"] ?? "") as { id: string }).id]);
  });
});

describe("post", () => {
  test("ends the job red for a denied call only when asked to", async () => {
    gateway.denied = 2;
    await job.main(inputs());
    expect((await job.post()).code).toBe(0);
    await job.main(inputs({ "fail-on-denied": "true" }));
    const post = await job.post();
    expect(post.code).toBe(1);
    expect(post.out).toContain("::error::Dogwatch denied 2 of this job's Datadog calls");
  });

  test("closes the session with a fresh identity token when the relay is gone", async () => {
    await job.main(inputs());
    process.kill(relayPid(), "SIGKILL");
    await expect.poll(() => isAlive(relayPid())).toBe(false);
    const post = await job.post();
    expect(post.code).toBe(0);
    expect(post.out).toContain("::warning::the Dogwatch relay is gone");
    expect(gateway.closed).toEqual([job.outputs["session-id"]]);
    expect(gateway.exchanges.at(-1)?.get("session")).toBe(job.outputs["session-id"]);
  });

  test("never fails the job, whatever is broken, and still stops the relay", async () => {
    await job.main(inputs());
    const pid = relayPid();
    await gateway.close();
    const post = await job.post({ GITHUB_STEP_SUMMARY: "/nonexistent/summary", INPUT_SUMMARY: "true" });
    expect(post.code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(await job.post({ STATE_relay: "not JSON" })).toMatchObject({ code: 0 });
  });

  test("a disk that is full when variables are written fails main, and keeps post from nothing", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("no disk that is full");
    const full = { GITHUB_ENV: "/dev/full" };
    const main = await job.main(inputs(), full);
    expect(main).toMatchObject({ code: 1, out: expect.stringContaining("ENOSPC") });
    const pid = relayPid();
    const post = await job.post(full);
    expect(post.code).toBe(0);
    expect(gateway.closed).toHaveLength(1);
    expect(isAlive(pid)).toBe(false);
    expect(post.out).toContain("::group::Dogwatch relay log");
    expect(job.summary()).toContain(gateway.closed[0]);
  });

  test("writes no summary when told so", async () => {
    await job.main(inputs({ summary: "false" }));
    await job.post();
    expect(job.summary()).toBe("");
  });
});
