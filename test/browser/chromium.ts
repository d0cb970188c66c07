/** A real browser for tests: the machine's own Chromium, else the one inside an npm package; and pages that note everything that goes wrong. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

/** `why`: there is no browser, and what was tried. */
export type Found = { readonly program: string; readonly why: null } | { readonly program: null; readonly why: string };

const installed = [
  process.env["DOGWATCH_CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/opt/google/chrome/chrome",
];

/** Unpacking the one from npm takes a few seconds, and a folder that nobody else unpacks into. */
export async function findChromium(): Promise<Found> {
  const own =
    process.env["DOGWATCH_CHROMIUM"] === "npm" ? undefined : installed.find((path) => path !== "" && existsSync(path));
  if (own !== undefined) return { program: own, why: null };
  if (process.platform !== "linux" || process.arch !== "x64")
    return { program: null, why: `no Chromium is installed, and the one from npm is for Linux on x64 only` };
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    return { program: await packed.executablePath(), why: null };
  } catch (error) {
    return {
      program: null,
      why: `no Chromium is installed, and the one from npm does not unpack here: ${String(error)}`,
    };
  }
}

export type Viewing = {
  readonly dark?: boolean;
  readonly phone?: boolean;
  readonly scripts?: boolean;
  /** Signed in from the beginning: what an earlier sign-in got. */
  readonly cookies?: readonly Cookie[];
};

type Cookie = { readonly name: string; readonly value: string };

/** A second name of the gateway, which leads over a line that can be cut. */
export const lineHome = "http://line.test";

export type Watched = {
  readonly page: Page;
  /** What the browser complained of: its console, its content security policy, requests that failed or went elsewhere. */
  readonly complaints: string[];
};

export type TestBrowser = {
  /** Signed in as nobody. */
  open(viewing?: Viewing): Promise<Watched>;
  /** In one context with all others that are opened so: for who keeps nothing in it, and holds no stream, of which a context has few. */
  openBeside(viewing?: Viewing): Promise<Watched>;
  close(): Promise<void>;
};

/** @param gateway where `http://gateway.test` really is; `line`: where `lineHome` is */
export async function startChromium(program: string, gateway: string, line = gateway): Promise<TestBrowser> {
  // Its profile, its crash reports and what it unpacks.
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-chromium-"));
  const [{ host }, { host: lineHost }] = [new URL(gateway), new URL(line)];
  const browser = await chromium.launch({
    executablePath: program,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      `--host-resolver-rules=MAP gateway.test:80 ${host}, MAP line.test:80 ${lineHost}`,
      // As on the HTTPS that gateways are really seen through: a clipboard, for one.
      "--unsafely-treat-insecure-origin-as-secure=http://gateway.test,http://line.test",
    ],
    env: { ...definedIn(process.env), TMPDIR: folder, HOME: folder },
    timeout: 60_000,
  });
  let shared: Promise<BrowserContext> | null = null;
  return {
    open: async (viewing = {}) => watch(await newContext(browser, viewing), gateway),
    openBeside: async (viewing = {}) => watch(await (shared ??= newContext(browser, viewing)), gateway),
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const definedIn = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

const newContext = (
  browser: Browser,
  { dark = false, phone = false, scripts = true, cookies = [] }: Viewing,
): Promise<BrowserContext> =>
  browser.newContext({
    storageState: {
      cookies: cookies.flatMap(({ name, value }) =>
        ["gateway.test", "line.test"].map((domain) => ({
          name,
          value,
          domain,
          path: "/",
          expires: -1,
          httpOnly: true,
          secure: false,
          sameSite: "Lax" as const,
        })),
      ),
      origins: [],
    },
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? { width: 390, height: 844 } : { width: 1360, height: 900 },
    deviceScaleFactor: phone ? 2 : 1,
    hasTouch: phone,
    javaScriptEnabled: scripts,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
    baseURL: "http://gateway.test",
    timezoneId: "UTC",
    locale: "en-GB",
  });

async function watch(context: BrowserContext, gateway: string): Promise<Watched> {
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => {
    // A page that is left breaks off what it still waits for.
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") complaints.push(`failed: ${request.url()} ${why}`);
  });
  const ours = new Set(["http://gateway.test", lineHome, new URL(gateway).origin]);
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && !ours.has(url.origin)) complaints.push(`elsewhere: ${request.url()}`);
  });
  await page.addInitScript({
    content: `document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error("policy: " + violatedDirective + " " + blockedURI + " " + sample));`,
  });
  return { page, complaints };
}

/** Everything that axe knows of WCAG 2.2 A and AA; or its contrasts alone, or all but these, where something else has been looked at already. */
export async function expectAccessible(
  page: Page,
  what: "everything" | "contrast" | "structure" = "everything",
): Promise<void> {
  // No page of ours has frames of others, for which axe would open a page of its own.
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const all = (): AxeBuilder => axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const contrast = "color-contrast";
  const { violations } = await (what === "everything"
    ? all()
    : what === "contrast"
      ? axe.withRules([contrast])
      : all().disableRules([contrast])
  ).analyze();
  const told = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${html} ${failureSummary}`)
        .join(" | ")}`,
  );
  expect(told).toEqual([]);
}

/** Until the script has taken the page over. */
export const drawn = async (page: Page): Promise<void> => {
  await page.waitForSelector("main[data-drawn]");
};

export async function signInWithToken(page: Page, token: string, to = "/sessions"): Promise<void> {
  await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await page.fill("input[name=token]", token);
  await page.click("button:has-text('Sign in')");
  await page.waitForURL((url) => url.pathname !== "/sign-in");
}
