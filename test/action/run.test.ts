/** `dogwatch run` around a command: the same relay for agents outside GitHub. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StandinGateway, startGateway } from "../standins/gateway.ts";
import { runToEnd, startTokenService } from "../standins/job.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let gateway: StandinGateway;
let directory: string;
let tokenFile: string;

beforeEach(async () => {
  gateway = await startGateway();
  directory = mkdtempSync(join(tmpdir(), "dogwatch-run-test-"));
  tokenFile = join(directory, "token");
  writeFileSync(tokenFile, "header.first.signature\n");
});

afterEach(async () => {
  await gateway.close();
  rmSync(directory, { recursive: true });
});

const run = (
  args: readonly string[],
  more: { env?: NodeJS.ProcessEnv; seen?: Parameters<typeof runToEnd>[3] } = {},
) => {
  const env = { PATH: process.env["PATH"], HOME: directory, TMPDIR: directory, ...more.env };
  return runToEnd(process.execPath, [join(root, "server/main.ts"), "run", ...args], env, more.seen);
};
const gatewayArgs = () => ["--gateway", gateway.url, "--token-file", tokenFile];
const call = 'curl -sS -H "DD-API-KEY: $DD_API_KEY" https://api.datadoghq.com/api/v1/validate';

describe("dogwatch run", () => {
  test("runs the command with the relay around it, and closes the session when it ends", async () => {
    const { code, out } = await run([...gatewayArgs(), "--connection", "prod", "--", "sh", "-c", call]);
    expect(code, out).toBe(0);
    expect(out).toContain("{}");
    expect(gateway.exchanges[0]?.get("subject_token")).toBe("header.first.signature");
    expect(gateway.exchanges[0]?.get("connection")).toBe("prod");
    expect(gateway.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /proxy/api.datadoghq.com/api/v1/validate",
    ]);
    expect(gateway.closed).toHaveLength(1);
    expect(out).toMatch(/dogwatch: .* session closed: 0 calls, 0 denied: http/);
    for (const secret of [...gateway.tokens, "header.first.signature"]) expect(out).not.toContain(secret);
    expect(readdirSync(directory)).toEqual(["token"]);
  });

  test("keeps the command's exit code", async () => {
    expect((await run([...gatewayArgs(), "--", "sh", "-c", "exit 42"])).code).toBe(42);
    expect((await run([...gatewayArgs(), "--", "sh", "-c", "kill -9 $$"])).code).toBe(137);
    expect((await run([...gatewayArgs(), "--", "no-such-command"])).code).toBe(127);
    expect(gateway.closed).toHaveLength(3);
  });

  test("passes signals on, and still closes the session", async () => {
    // As early as a command can: it is the first that this process hears of it.
    const script = `trap 'echo got it; exit 7' TERM; kill -TERM $PPID; while :; do sleep 0.05; done`;
    const { code, out } = await run([...gatewayArgs(), "--", "sh", "-c", script]);
    expect(out).toContain("got it");
    expect(code).toBe(7);
    expect(gateway.closed).toHaveLength(1);
  });

  test("a signal as soon as the session is open ends the command or keeps it from being run, and leaves nothing", async () => {
    const { code } = await run([...gatewayArgs(), "--", "sh", "-c", "while :; do sleep 0.05; done"], {
      seen: (child) => {
        child.stderr?.once("data", () => child.kill("SIGTERM"));
      },
    });
    expect(code).toBe(143);
    expect(gateway.closed).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(["token"]);
  });

  test("goes on when nobody reads what it says any more, and closes the session", async () => {
    const marker = join(directory, "heard");
    const script = `while [ ! -e ${marker} ]; do sleep 0.05; done; ${call} -X DELETE; exit 7`;
    const { code } = await run([...gatewayArgs(), "--", "sh", "-c", script], {
      seen: (child) => {
        child.stderr?.once("data", () => {
          child.stderr?.destroy();
          writeFileSync(marker, "");
        });
      },
    });
    expect(code).toBe(7);
    expect(gateway.closed).toHaveLength(1);
  });

  test("renews with what the file holds by then, while the command runs", async () => {
    gateway.expiresIn = 1;
    const script = `printf header.second.signature > ${tokenFile}; while [ ! -e ${join(directory, "stop")} ]; do sleep 0.05; done; ${call}`;
    const presented = () => gateway.exchanges.map((form) => form.get("subject_token"));
    const renewed = async () => {
      // A command that is slow to begin is renewed with the first one until it has written the second.
      await expect.poll(presented).toContain("header.second.signature");
      writeFileSync(join(directory, "stop"), "");
    };
    const { code, out } = await run([...gatewayArgs(), "--", "sh", "-c", script], { seen: () => void renewed() });
    expect(code, out).toBe(0);
    const second = presented().indexOf("header.second.signature");
    expect(presented().slice(second)).not.toContain("header.first.signature");
    expect(gateway.exchanges[second]?.get("session")).toBe(gateway.closed[0]);
  });

  test("asks a command for the token, which finds the audience in its environment", async () => {
    const command = 'printf "header.%s.signature" "$DOGWATCH_AUDIENCE"';
    const args = ["--gateway", gateway.url, "--token-command", command, "--audience", "dogwatch", "--", "true"];
    expect((await run(args)).code).toBe(0);
    expect(gateway.exchanges[0]?.get("subject_token")).toBe("header.dogwatch.signature");
  });

  test("in a workflow step, takes the identity that GitHub offers the job", async () => {
    const service = await startTokenService();
    const { code } = await run(["--gateway", gateway.url, "--", "true"], {
      env: { ...service.env, GITHUB_ACTIONS: "true" },
    });
    await service.close();
    expect(code).toBe(0);
    expect(gateway.exchanges[0]?.get("subject_token")).toBe(service.minted[0]);
  });
});

describe("dogwatch run, while a call waits for a person", () => {
  const deletion = 'curl -sS -X DELETE -w " %{http_code}" -H "DD-API-KEY: $DD_API_KEY" $DATADOG_HOST/api/v1/monitor/1';
  const waiting = async () => {
    await expect.poll(() => gateway.approvals.polls.length, { timeout: 20_000 }).toBeGreaterThan(1);
  };

  test("says so on stderr as it happens, and goes on when it is approved", async () => {
    gateway.approvals.holds = () => true;
    let seen = "";
    const { code, out } = await run([...gatewayArgs(), "--", "sh", "-c", deletion], {
      seen: (child) => {
        child.stderr?.on("data", (text: string) => (seen += text));
        void (async () => {
          await expect.poll(() => seen, { timeout: 20_000 }).toContain("waiting for approval of DeleteMonitor: http");
          gateway.approvals.decide("approved");
        })();
      },
    });
    expect(code, out).toBe(0);
    expect(out).toContain("{} 200");
    expect(out).toMatch(/dogwatch: \S+ approval of DeleteMonitor: approved, it is sent now/);
    expect(gateway.approvals.passed).toHaveLength(1);
  });

  test("waits no longer than --approval-timeout", async () => {
    gateway.approvals.holds = () => true;
    const { out } = await run([...gatewayArgs(), "--approval-timeout", "1s", "--", "sh", "-c", deletion]);
    expect(out).toMatch(/nobody answered within 1s \(approval-timeout\).* 403/);
    expect(gateway.approvals.passed).toEqual([]);
  });

  test("a command that ends without its waiting child ends the wait, and the session", async () => {
    gateway.approvals.holds = () => true;
    const script = `${deletion} & while [ ! -e ${join(directory, "stop")} ]; do sleep 0.05; done; exit 7`;
    const stop = async () => {
      await waiting();
      writeFileSync(join(directory, "stop"), "");
    };
    const { code, out } = await run([...gatewayArgs(), "--", "sh", "-c", script], { seen: () => void stop() });
    expect(code, out).toBe(7);
    expect(out).toContain("the job ended while it waited for approval");
    expect(gateway.approvals.asked[0]?.state).toBe("cancelled");
  });
});

describe("dogwatch run does not run the command when", () => {
  const marker = () => join(directory, "ran");
  const refused = async (args: readonly string[]) => {
    const finished = await run([...args, "--", "touch", marker()]);
    expect(existsSync(marker())).toBe(false);
    return finished;
  };

  test("the gateway cannot be reached: 3", async () => {
    await gateway.close();
    expect(await refused(gatewayArgs())).toMatchObject({
      code: 3,
      out: expect.stringContaining("cannot be reached (ECONNREFUSED)"),
    });
  });

  test("the gateway refuses the identity: 2", async () => {
    gateway.refuse = {
      status: 400,
      body: { error: "invalid_request", error_description: "aud is a, expected b", code: "audience_mismatch" },
    };
    expect(await refused(gatewayArgs())).toMatchObject({
      code: 2,
      out: expect.stringContaining("aud is a, expected b"),
    });
  });

  test.each([
    [
      ["--gateway", "https://dogwatch.example.com"],
      "no identity token: give --token-file FILE or --token-command COMMAND",
    ],
    [["--gateway", "http://dogwatch.example.com", "--token-file", "x"], "use https://"],
    [
      ["--gateway", "http://127.0.0.1:1", "--token-file", "/nonexistent"],
      "the token file /nonexistent cannot be read (ENOENT)",
    ],
    [["--gateway", "http://127.0.0.1:1", "--token-command", "exit 3"], "the token command failed (exit code 3)"],
    [["--gateway", "http://127.0.0.1:1", "--token-command", "true"], "the token command printed nothing"],
    [["--gateway", "http://127.0.0.1:1", "--token-file", "x", "--token-command", "y"], "use one"],
    [
      ["--gateway", "http://127.0.0.1:1", "--token-file", "x", "--intercept", "maybe"],
      "it may be auto, hosts, proxy, off",
    ],
    [
      ["--gateway", "http://127.0.0.1:1", "--token-file", "x", "--approval-timeout", "soon"],
      '--approval-timeout is "soon": give a duration like 90s, 30m or 2h',
    ],
  ])("the words are %j: 2, and what to do", async (args, expected) => {
    expect(await refused(args)).toMatchObject({ code: 2, out: expect.stringContaining(expected) });
  });

  test("the proxy of its surroundings is no URL: 2", async () => {
    const { code, out } = await run([...gatewayArgs(), "--", "true"], {
      env: { HTTPS_PROXY: "http://us%er:secret@proxy" },
    });
    expect({ code, out }).toEqual({ code: 2, out: expect.stringContaining("HTTPS_PROXY of this job is not a URL") });
    expect(out).not.toContain("secret");
  });

  test("the token file's content is shown nowhere", async () => {
    gateway.refuse = { status: 500, body: "" };
    const { out } = await refused(gatewayArgs());
    expect(out).not.toContain(readFileSync(tokenFile, "utf8").trim());
  });
});
