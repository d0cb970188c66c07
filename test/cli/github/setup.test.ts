/** `dogwatch github setup` as its user has it: a command, a browser, GitHub, and what is there afterwards. */

import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Answer } from "../../../server/cli/answer.ts";
import { type SetupRequest, setUpGitHub } from "../../../server/cli/github/setup.ts";
import { isConfig, loadConfig } from "../../../server/config/load.ts";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { Pull, Repository } from "../../../server/demo/github/state.ts";
import { Browser } from "../../standins/browser.ts";
import { textOf } from "../../standins/markup.ts";

const main = join(import.meta.dirname, "../../../server/main.ts");
const rewire = join(import.meta.dirname, "../../standins/rewire.mjs");

const configuration = `# Ours.
publicUrl: https://dogwatch.example.com   # behind the proxy
listen: 127.0.0.1:8080
dataDir: DATA
identity:
  issuers:
    - { name: github, issuer: "https://token.actions.githubusercontent.com", allow: 'caller.repository_owner_id == "1234"' }
connections:
  - { name: prod, kind: live, site: datadoghq.com, apiKey: "\${env:NOT_SET_HERE}", appKey: "\${env:NOR_IS_THIS}" }

policy:
  rules:
    - name: writes   # people decide
      effect: approve
      when: operation.access == "write"
      approvers: { TEAMS permission: write }
`;

let github: GitHubStandin;
let repository: Repository;
let pull: Pull;
let folder: string;
let file: string;
const children: ChildProcess[] = [];
let over = new AbortController();
let names = 0;

beforeAll(async () => {
  github = await startGitHub({ clock: () => new Date() });
  github.accounts.add("mona");
  repository = github.repositories.add("acme/app");
  pull = github.pulls.open(repository, { author: "mona", files: ["README.md"] });
});
afterAll(async () => {
  await github.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dogwatch-setup-"));
  file = join(folder, "dogwatch.yaml");
  writeConfiguration();
  over = new AbortController();
  names += 1;
});
afterEach(() => {
  over.abort();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const writeConfiguration = (change: (text: string) => string = (text) => text): void =>
  writeFileSync(file, change(configuration.replace("DATA", join(folder, "data")).replace("TEAMS ", "")));

type Running = {
  /** Standard error until it fits. */
  told(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
};

function run(args: readonly string[], hosts: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, ["--import", rewire, main, "github", "setup", "--config", file, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], DOGWATCH_TEST_HOSTS: JSON.stringify(hosts) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = new Promise<Awaited<Running["ended"]>>((resolve) => {
    child.once("close", (code) => resolve({ code, output, errors }));
  });
  return {
    ended,
    told: async (pattern) => {
      for (;;) {
        const found = pattern.exec(errors);
        if (found !== null) return found;
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${errors}${output}`);
        await sleep(50);
      }
    },
  };
}

/** The same in this process, which begins at once; what has not ended when its test has is called off. */
function start(request: Partial<SetupRequest>): Running {
  const told: string[] = [];
  const ended = setUpGitHub(
    { config: file, wait: "60s", ...request },
    {
      env: {},
      fetch,
      now: () => new Date(),
      pause: (ms, signal) =>
        sleep(ms, undefined, { signal: AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])]) }),
      tell: (line) => told.push(line),
      ask: async () => null,
    },
  ).then(({ exitCode, output }) => ({ code: exitCode, output, errors: told.join("\n") }));
  ended.catch(() => undefined);
  return {
    ended,
    told: async (pattern) => {
      for (;;) {
        const found = pattern.exec(told.join("\n"));
        if (found !== null) return found;
        await sleep(20, undefined, { signal: over.signal });
      }
    },
  };
}

const page = /(http:\/\/127\.0\.0\.1:\d+\/[\w-]{22})/;

/** A person at the browser: opens the page of the command, and agrees on GitHub's. */
async function agree(
  command: Running,
  browser = new Browser(),
): Promise<{ browser: Browser; back: string; text: string }> {
  const [, url = ""] = await command.told(page);
  github.visitors.preset("mona");
  const shown = await browser.submit(await browser.open(url), /settings\/apps\/new/);
  github.visitors.preset(null);
  return { browser, back: shown.url, text: textOf(shown.html) };
}

const nameOf = (): string => `Dogwatch ${names}`;
const slugOf = (): string => `dogwatch-${names}`;

test.each([
  ["github.com", "https://github.com", "https://api.github.com"],
  ["a subdomain of ghe.com", "https://acme.ghe.com", "https://api.acme.ghe.com"],
  ["a server of one's own", null, null],
] as const)("makes the App on %s, stores it, waits until it is installed, and tries it", async (_where, web, api) => {
  const url = web ?? github.url;
  const hosts = web === null || api === null ? {} : { [api]: github.apiUrl, [web]: github.url };
  const command = run(
    ["--url", url, "--org", "acme", "--name", nameOf(), "--verify", `acme/app#${pull.number}`, "--json"],
    hosts,
  );
  const { browser, text } = await agree(command, new Browser({ hosts: { [url]: github.url } }));
  expect(browser.visited).toContain(`${url}/organizations/acme/settings/apps/new?state=${stateIn(browser)}`);
  expect(text).toContain("Go back to the terminal");
  const [, install = ""] = await command.told(/(http\S+\/installations\/new)/);
  github.visitors.preset("mona");
  await fetch(install, { redirect: "manual" });
  github.visitors.preset(null);

  const { code, output, errors } = await command.ended;
  expect({ code, errors }).toMatchObject({ code: 0 });
  const app = github.apps.named(slugOf());
  expect(JSON.parse(output)).toEqual({
    app: { id: String(app.id), slug: slugOf(), name: nameOf(), owner: "acme", url: `${github.url}/apps/${slugOf()}` },
    made: true,
    folder: join(folder, "data/github"),
    configuration: { file, written: true, section: expect.stringContaining(`appId: ${app.id}`) },
    install_url: install,
    installations: [{ account: "acme", url: expect.any(String), repositories: "all", lacking: [] }],
    trial: { pull: `acme/app#${pull.number}`, url: expect.stringContaining("#issuecomment-"), problems: [] },
    problems: [],
  });
  for (const secret of [app.pem, app.client_secret, app.webhook_secret])
    expect(output + errors).not.toContain(secret.trim());

  const comments = github.comments.in(repository).filter(({ author }) => author.login === `${slugOf()}[bot]`);
  expect(comments.map(({ body }) => body)).toEqual([expect.stringMatching(/^\*\*Dogwatch can write here\.\*\*/)]);

  expect(statSync(join(folder, "data/github")).mode & 0o777).toBe(0o700);
  for (const [name, content] of [
    ["private-key.pem", app.pem],
    ["webhook-secret", app.webhook_secret],
    ["client-secret", app.client_secret],
  ] as const) {
    expect(statSync(join(folder, "data/github", name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "data/github", name), "utf8")).toBe(content);
  }
  const written = readFileSync(file, "utf8");
  expect(written.startsWith(configuration.replace("DATA", join(folder, "data")).replace("TEAMS ", ""))).toBe(true);
  const config = loadConfig(file, { NOT_SET_HERE: "a", NOR_IS_THIS: "b" });
  if (!isConfig(config)) throw new Error(JSON.stringify(config));
  expect(config.github).toMatchObject({
    appId: String(app.id),
    apiUrl: api ?? github.apiUrl,
    clientId: app.client_id,
    issues: false,
  });
  expect(config.github?.privateKey.reveal().trim()).toBe(app.pem.trim());
});

const stateIn = (browser: Browser): string =>
  new URL(browser.visited.find((url) => url.includes("/settings/apps/new")) ?? "").searchParams.get("state") ?? "";

test("the manifest asks for exactly what is needed, and for members only where rules name teams", async () => {
  for (const [teams, flags, expected] of [
    ["", {}, { issues: "read" }],
    ["teams: [sre], ", {}, { issues: "read", members: "read" }],
    ["", { issues: true }, { issues: "write" }],
  ] as const) {
    writeConfiguration((text) => text.replace("permission: write }", `${teams}permission: write }`));
    const command = start({ url: github.url, ...flags });
    const [, url = ""] = await command.told(page);
    const browser = new Browser();
    const shown = await browser.open(url);
    const [, manifest = ""] = /name="manifest" value="([^"]*)"/.exec(shown.text) ?? [];
    expect(JSON.parse(manifest.replaceAll("&quot;", '"'))).toEqual({
      name: "Dogwatch dogwatch.example.com",
      url: "https://dogwatch.example.com",
      hook_attributes: { url: "https://dogwatch.example.com/webhooks/github", active: true },
      redirect_url: `${new URL(url).origin}/created`,
      callback_urls: ["https://dogwatch.example.com/sign-in/github/callback"],
      setup_url: "https://dogwatch.example.com/setup/github/installed",
      public: false,
      default_permissions: { metadata: "read", pull_requests: "write", checks: "write", actions: "read", ...expected },
      default_events: ["pull_request", "pull_request_review_comment", "issue_comment", "check_run"],
    });
    expect(shown.headers.get("content-security-policy")).toContain(`form-action ${github.url};`);
  }
});

test("a state that is forged, replayed, or another browser's makes nothing", async () => {
  const command = start({ url: github.url, name: nameOf() });
  const [, url = ""] = await command.told(page);
  const mine = new Browser();
  github.visitors.preset("mona");
  const departure = await mine.open(url);
  const [, action = ""] = /action="(http[^"]+)"/.exec(departure.text) ?? [];
  const [, manifest = ""] = /name="manifest" value="([^"]*)"/.exec(departure.text) ?? [];
  const away = await fetch(action, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ manifest: manifest.replaceAll("&quot;", '"') }),
  });
  github.visitors.preset(null);
  const back = new URL(away.headers.get("location") ?? "");
  const forged = new URL(back);
  forged.searchParams.set("state", "A".repeat(43));
  expect((await mine.open(forged.href)).status).toBe(403);
  const other = new Browser();
  await other.open(url);
  expect((await other.open(back.href)).status).toBe(403);
  expect((await new Browser().open(back.href)).status).toBe(403);
  expect(existsSync(join(folder, "data/github"))).toBe(false);
  expect((await mine.open(back.href)).status).toBe(200);
  await command.told(/GitHub made the App/);
  const before = readFileSync(file, "utf8");
  expect(
    await mine.open(back.href).then(
      ({ status }) => status,
      () => "closed",
    ),
  ).toSatisfy((status) => status === 403 || status === "closed");
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("a code that expired is told with what to do, and the page can be opened again", async () => {
  const command = start({ url: github.url, name: nameOf() });
  github.faults.next("apps/create-from-manifest", { kind: "status", status: 404 });
  const first = await agree(command);
  expect(first.text).toContain("GitHub does not know the code that the browser brought");
  await command.told(/older than an hour; if the App was made, delete it/);
  const second = await agree(command);
  expect(second.text).toContain("Go back to the terminal");
});

test("the page is for whoever was shown its address, under that address", async () => {
  const command = start({ url: github.url });
  const [, url = ""] = await command.told(page);
  const { origin, host } = new URL(url);
  for (const path of ["/", "/x", `/${"A".repeat(22)}`, "/created", "/created?state=a&code=b"])
    expect((await fetch(origin + path)).status).toBeGreaterThanOrEqual(403);
  const status = await new Promise<number | undefined>((resolve) => {
    request(url, { headers: { host: `evil.example:${host.split(":")[1]}` } }, ({ statusCode }) =>
      resolve(statusCode),
    ).end();
  });
  expect(status).toBe(404);
  expect((await fetch(url, { method: "POST" })).status).toBe(404);
  expect((await fetch(url)).status).toBe(200);
});

test("says which permission is missing, and ends with 1", async () => {
  const app = await github.apps.register({
    owner: "acme",
    name: nameOf(),
    permissions: { metadata: "read", pull_requests: "read", checks: "write", actions: "read", issues: "read" },
  });
  github.apps.install(app, { account: "acme" });
  writeFileSync(join(folder, "key.pem"), app.pem);
  writeConfiguration(
    (text) =>
      `${text}github: { apiUrl: "${github.apiUrl}", appId: ${app.id}, privateKey: "\${file:key.pem}", webhookSecret: s3cret }\n`,
  );
  const { code, output } = await start({ verify: `acme/app#${pull.number}` }).ended;
  expect(code).toBe(1);
  expect(output).toContain("! on acme the App lacks pull_requests: write: add it in its settings, then accept it at ");
  expect(output).toMatch(/! GitHub refused \(403 .*comment on pull request .*permission.*pull_requests: write/);
  expect(output).not.toContain("wrote a test comment");
});

test("an App that is configured is looked at and tried, and nothing is made", async () => {
  const app = await github.apps.register({ owner: "acme", name: nameOf() });
  github.apps.install(app, { account: "acme", repositories: [repository] });
  writeFileSync(join(folder, "key.pem"), app.pem);
  writeConfiguration(
    (text) =>
      `${text}github: { apiUrl: "${github.apiUrl}", appId: ${app.id}, privateKey: "\${file:key.pem}", webhookSecret: s3cret }\n`,
  );
  const before = readFileSync(file, "utf8");
  const { code, output, errors } = await start({ verify: `${github.url}/acme/app/pull/${pull.number}` }).ended;
  expect({ code, errors }).toMatchObject({ code: 0 });
  expect(errors).toContain("it is looked at, and nothing is made");
  expect(output).toMatch(/^App \d+\ninstalled on acme, selected repositories\nwrote a test comment: http/);
  expect(readFileSync(file, "utf8")).toBe(before);
  const elsewhere = await runHere({ verify: "acme/nothing#1" });
  expect(elsewhere).toMatchObject({
    exitCode: 1,
    output: expect.stringMatching(/the App is not installed on .*acme\/nothing/),
  });
  const issue = await runHere({ verify: "acme/app#999" });
  expect(issue).toMatchObject({ exitCode: 1, output: expect.stringMatching(/acme\/app#999' is no pull request/) });
});

test("a key that comes from a variable which is not set here is no key", async () => {
  writeConfiguration((text) => `${text}github: { appId: 1, privateKey: "\${env:APP_KEY}", webhookSecret: s3cret }\n`);
  expect(await runHere({})).toMatchObject({
    exitCode: 2,
    output: "the App's key comes from the environment variable APP_KEY: set it here\n",
  });
});

test("with --replace another App takes its place, and what is stored of the old one is moved aside", async () => {
  const first = start({ url: github.url, org: "acme", name: nameOf() });
  await agree(first);
  await first.told(/Install the App/);
  const old = readFileSync(join(folder, "data/github/private-key.pem"), "utf8");
  const again = await runHere({ url: github.url, wait: "1s" });
  expect(again).toMatchObject({ exitCode: 1, output: expect.stringContaining("not installed anywhere yet") });
  expect(again.told).toContain("names App");

  names += 1;
  const second = start({ url: github.url, org: "acme", name: nameOf(), replace: true });
  await agree(second);
  await second.told(/Install the App/);
  github.apps.install(github.apps.named(slugOf()), { account: "acme" });
  const { code, output } = await second.ended;
  expect(code).toBe(0);
  const [, aside = ""] = /those of the App before: (\S+)/.exec(output) ?? [];
  expect(readFileSync(join(aside, "private-key.pem"), "utf8")).toBe(old);
  expect(readFileSync(join(folder, "data/github/private-key.pem"), "utf8")).toBe(github.apps.named(slugOf()).pem);
  const written = readFileSync(file, "utf8");
  expect(written.match(/^github:$/gm)).toHaveLength(1);
  expect(written).toContain(`appId: ${github.apps.named(slugOf()).id}`);
});

test("keys without a section are no licence to overwrite them", async () => {
  const first = start({ url: github.url, org: "acme", name: nameOf() });
  await agree(first);
  await first.told(/Install the App/);
  writeConfiguration();
  const { exitCode, output } = await runHere({ url: github.url });
  expect(exitCode).toBe(2);
  expect(output).toContain(
    "There is a GitHub App already, and it is not overwritten. Say that another may take its place (--replace",
  );
});

test("a configuration that cannot be written is shown what to put into it, and keys are stored all the same", async () => {
  writeConfiguration((text) => text.replace("# Ours.\n", "--- # Ours.\n").concat("...\n"));
  const before = readFileSync(file, "utf8");
  const command = start({ url: github.url, org: "acme", name: nameOf() });
  const { text } = await agree(command);
  expect(text).toContain("The configuration was not changed");
  await command.told(/Install the App/);
  github.apps.install(github.apps.named(slugOf()), { account: "acme" });
  const { code, output } = await command.ended;
  expect(code).toBe(1);
  expect(output).toContain(
    `! ${file} is written in a way that this cannot be added to safely: put the section below into it`,
  );
  const section = output.slice(output.indexOf("github:"), output.indexOf("\ninstalled on"));
  expect(readFileSync(file, "utf8")).toBe(before);
  writeConfiguration((plain) => `${plain}\n${section}`);
  const config = loadConfig(file, { NOT_SET_HERE: "a", NOR_IS_THIS: "b" });
  expect(isConfig(config) && config.github?.appId).toBe(String(github.apps.named(slugOf()).id));
});

/** In this process, by somebody who never opens the page: time passes at once. */
async function runHere(request: Partial<SetupRequest>): Promise<Answer & { readonly told: string }> {
  const told: string[] = [];
  let now = Date.now();
  const answer = await setUpGitHub(
    { config: file, wait: "15m", ...request },
    {
      env: {},
      fetch,
      now: () => new Date(now),
      pause: async (ms) => {
        now += ms;
      },
      tell: (line) => told.push(line),
      ask: async () => null,
    },
  );
  return { ...answer, told: told.join("\n") };
}

test("when nobody comes, it ends in time", async () => {
  const { exitCode, output, told } = await runHere({ url: github.url });
  expect(exitCode).toBe(1);
  expect(output).toContain("nobody made the App in time: run the command again");
  expect(told).toMatch(page);
  expect(existsSync(join(folder, "data/github"))).toBe(false);
});

test("GitHub that cannot be reached is 3, before a browser is sent there", async () => {
  const { code, errors } = await run(["--url", "http://127.0.0.1:9"]).ended;
  expect(code).toBe(3);
  expect(errors).toContain(
    "GitHub cannot be reached: http://127.0.0.1:9/api/v3 could not be reached: check the address",
  );
});

test("an unknown option is wrong usage: 2", async () => {
  const { code, errors } = await run(["--nonsense"]).ended;
  expect(code).toBe(2);
  expect(errors).toContain("unknown option '--nonsense'");
});

test.each([
  ["no configuration", { config: "/nowhere/dogwatch.yaml" }, /\/nowhere\/dogwatch\.yaml is not there/],
  ["a pull request that is none", { verify: "acme/app" }, /--verify "acme\/app" is no pull request/],
  ["no time", { wait: "soon" }, /--wait "soon" is no time/],
  ["no port", { port: "http" }, /--port "http" is no port/],
  ["an address without TLS", { url: "http://github.example.com" }, /That is no address of a GitHub/],
  ["an address with a path", { url: "https://github.com/acme" }, /That is no address of a GitHub/],
  ["an address with a user", { url: "https://a:b@github.com" }, /That is no address of a GitHub/],
  ["an organization that is none", { org: "a/b" }, /no name of an organization/],
  ["a name that is too long", { name: "x".repeat(35) }, /An App's name has 1 to 34 characters/],
])("%s is wrong usage: 2, and the fix", async (_what, request, said) => {
  const { exitCode, output } = await runHere(request);
  expect(exitCode).toBe(2);
  expect(output).toMatch(said);
});

test("a configuration with mistakes is told with their places", async () => {
  writeConfiguration((text) => text.replace("effect: approve", "effect: ask"));
  expect(await runHere({})).toMatchObject({
    exitCode: 2,
    output: expect.stringMatching(/dogwatch\.yaml:\d+:\d+ policy\.rules/),
  });
});

test("a gateway that only this machine reaches has no App on GitHub", async () => {
  writeConfiguration((text) => text.replace("https://dogwatch.example.com", "http://127.0.0.1:8080"));
  const { exitCode, output } = await runHere({ url: "https://github.com" });
  expect(exitCode).toBe(2);
  expect(output).toMatch(/http:\/\/127\.0\.0\.1:8080 is this machine alone.*Set publicUrl/);
});

test("a folder that cannot be made is said before GitHub makes an App whose key would be lost", async () => {
  writeFileSync(join(folder, "data"), "a file");
  const { exitCode, output } = await runHere({ url: github.url });
  expect(exitCode).toBe(2);
  expect(output).toMatch(/data\/github cannot be made \(\w+\), and the App's key has to be kept there/);
});

test("the configuration keeps its mode, and a link to it stays one", async () => {
  chmodSync(file, 0o640);
  const target = join(folder, "real.yaml");
  renameSync(file, target);
  symlinkSync(target, file);
  const command = start({ url: github.url, org: "acme", name: nameOf() });
  await agree(command);
  await command.told(/Install the App/);
  expect(statSync(target).mode & 0o777).toBe(0o640);
  expect(readlinkSync(file)).toBe(target);
  expect(readFileSync(target, "utf8")).toContain("appId:");
});
