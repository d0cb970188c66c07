/** People before two sandboxes: jobs of acme/shop work on one, sessions are replayed to the other. */

import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { Repository } from "../../../server/demo/github/state.ts";
import { openJob, type PeopleScene, sendCall } from "./scene.ts";

export type Errands = {
  /** What jobs of acme/shop work on, as connection `shop`. */
  readonly datadog: ListeningSandbox;
  /** Where replays go: connection `lab`. */
  readonly lab: ListeningSandbox;
  /** More items of `connections`. */
  readonly connections: string;
  close(): Promise<void>;
};

export async function startErrands(): Promise<Errands> {
  const clock = (): Date => new Date();
  const [datadog, lab] = await Promise.all([createSandbox({ clock }).listen(), createSandbox({ clock }).listen()]);
  return {
    datadog,
    lab,
    connections: `
  - { name: shop, kind: live, site: datadoghq.com, endpoint: "${datadog.url}", apiKey: shop-api-key-0123456789abcdef, appKey: shop-app-key-0123456789abcdef, allow: 'caller.issuer_name == "dogwatch:people" || caller.repository == "acme/shop"' }
  - { name: lab, kind: sandbox, site: datadoghq.com, endpoint: "${lab.url}", apiKey: lab-api-key-0123456789abcdef, appKey: lab-app-key-0123456789abcdef, allow: 'caller.issuer_name == "dogwatch:people"' }`,
    close: async () => {
      await Promise.all([datadog.close(), lab.close()]);
    },
  };
}

/** `writers`: which of GitHub's people may write there; reader may read. */
export function addShop({ github }: PeopleScene, writers: readonly string[]): Repository {
  const shop = github.repositories.add("acme/shop");
  for (const login of writers) github.repositories.permit(shop, login, "write");
  github.repositories.permit(shop, "reader", "read");
  return shop;
}

/** Straight at a sandbox. */
export async function put(sandbox: ListeningSandbox, path: string, body: object): Promise<{ readonly id: string }> {
  const answer = await fetch(sandbox.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", "dd-api-key": "k", "dd-application-key": "a" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

export type JobCall = readonly [method: string, path: string, body?: object];

/** A job of acme/shop that mona started, from its first call to its end. @returns its session */
export async function shopJob(scene: PeopleScene, shop: Repository, calls: readonly JobCall[]): Promise<string> {
  const opened = await openJob(scene.github, scene.url, { repository: shop, actor: "mona", connection: "shop" });
  for (const [method, path, body] of calls) {
    const answer = await sendCall(scene.url, opened, {
      method,
      path,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
  }
  await fetch(`${scene.url}/v1/sessions/${opened.session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${opened.access_token}` },
  });
  return opened.session_id;
}
