/** A gateway at which people sign in with OpenID Connect, and what their browsers do on the way. */

import { isReplicated } from "../../standins/replicas.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { Browser, type Visited } from "../../standins/browser.ts";
import { all, textOf } from "../../standins/markup.ts";
import { startWorld, type World } from "../../standins/world.ts";
import { adminToken, eventually, home } from "./scene.ts";

export type OidcScene = World & {
  browser(): Browser;
  /** Replaces `signIn:` in the configuration, and waits until it is in force. */
  configure(signIn: string): Promise<void>;
  /** The same of any text. */
  edit(from: string, to: string): Promise<void>;
};

export const auditorAndAdmin = `[{ name: tests, role: auditor, token: auditor-token-of-the-tests-0123456789 }, { name: boss, role: admin, token: ${adminToken} }]`;

export async function startOidc(signIn: string, rules?: string): Promise<OidcScene> {
  const world = await startWorld(() => ({ status: 200, body: '{"id":4212,"name":"Checkout latency"}' }), {
    tokens: auditorAndAdmin,
    more: signIn,
    ...(rules === undefined ? {} : { rules }),
  });
  let current = signIn;
  const edit = async (from: string, to: string): Promise<void> => {
    const loaded = async (): Promise<number> =>
      (await world.audit()).filter(({ kind }) => kind === "configuration_loaded").length;
    const before = await loaded();
    writeFileSync(world.file, readFileSync(world.file, "utf8").replace(from, to));
    // Each gateway reads its file for itself.
    await eventually(async () => ((await loaded()) >= before + (isReplicated ? 2 : 1) ? true : null));
  };
  return {
    ...world,
    browser: () => new Browser({ hosts: { [home]: world.url } }),
    edit,
    configure: async (next) => {
      await edit(current, next);
      current = next;
    },
  };
}

export const wordsOf = (page: Visited): string => textOf(page.html).replaceAll(/\s+/g, " ");

export const personCookie = (browser: Browser): string | undefined =>
  browser.cookies(home).get("dogwatch_person")?.value;

export const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.open(`${home}/approvals`)).status === 200;

export const formTokenOf = async (browser: Browser): Promise<string> => {
  const page = await browser.open(`${home}/approvals`);
  const field = all(page.html, "input").find(({ attributes }) => attributes.get("name") === "form");
  return field?.attributes.get("value") ?? "";
};

/** Where a browser is sent to sign in; its cookies are kept. */
export async function goAway(scene: OidcScene, browser: Browser, provider: string): Promise<URL> {
  const answer = await fetch(`${scene.url}/sign-in/${provider}?to=/approvals`, {
    redirect: "manual",
    headers: { cookie: browser.header(home) },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [, value = ""] = /^dogwatch_browser=([^;]+)/.exec(line) ?? [];
    (browser.cookies(home) as Map<string, unknown>).set("dogwatch_browser", { value, attributes: "" });
  }
  return new URL(answer.headers.get("location") ?? "");
}
