/** People who signed in: who sees a session may have it replayed, sees what came of it, and nobody else does. */

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSandbox, type ListeningSandbox } from "../../../server/datadog/sandbox/sandbox.ts";
import type { Browser } from "../../standins/browser.ts";
import { isReplicated } from "../../standins/replicas.ts";
import { openJob, sendCall } from "../people/scene.ts";
import { home, type PeopleScene, startPeople } from "../people/scene.ts";

let scene: PeopleScene;
let lab: ListeningSandbox;
let session: string;
beforeAll(async () => {
  lab = await createSandbox({ clock: () => new Date() }).listen();
  scene = await startPeople({ shown: { id: 4212, name: "p99" } });
  const opened = await openJob(scene.github, scene.url, { repository: scene.repository, actor: "mona" });
  session = opened.session_id;
  await sendCall(scene.url, opened, { method: "GET", path: "/api/v1/validate", body: undefined });
  const text = readFileSync(scene.scene.file, "utf8");
  const sandbox = `  - { name: lab, kind: sandbox, site: datadoghq.com, endpoint: "${lab.url}", apiKey: lab-api-key, appKey: lab-app-key }`;
  writeFileSync(scene.scene.file, text.replace(/\naccess:/, `\n${sandbox}\naccess:`));
  while (scene.log.filter((line) => line.includes("configuration reloaded")).length < (isReplicated ? 2 : 1))
    await new Promise((resolve) => setTimeout(resolve, 20));
});
afterAll(async () => {
  await scene.close();
  await lab.close();
});

type Answered = { readonly status: number; readonly json: { readonly [name: string]: unknown } };

const ask = async (browser: Browser, path: string, body?: object): Promise<Answered> => {
  const cookie = browser.header(home);
  const me = (await (await fetch(`${scene.url}/v1/me`, { headers: { cookie } })).json()) as { form: string };
  const response = await fetch(scene.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      cookie,
      ...(body !== undefined && {
        "content-type": "application/json",
        "sec-fetch-site": "same-origin",
        "dogwatch-form": me.form,
      }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Answered["json"] };
};

test("an approver who may read the repository starts one as themselves, watches it and reads it; a stranger is told that there is none", async () => {
  const [octocat, reader, stranger] = [await scene.as("octocat"), await scene.as("reader"), await scene.as("stranger")];
  expect((await ask(stranger, `/v1/sessions/${session}/replays`, { connection: "lab" })).status).toBe(404);
  const started = await ask(octocat, `/v1/sessions/${session}/replays`, { connection: "lab" });
  expect(started).toMatchObject({
    status: 201,
    json: { by: "github:octocat", connection: "lab", session_id: session },
  });
  const { id, replay_session_id: own } = started.json;
  for (;;) {
    const { json } = await ask(octocat, `/v1/replays/${String(id)}`);
    if (json["state"] !== "running") break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const own_session = await ask(octocat, `/v1/sessions/${String(own)}`);
  expect(own_session).toMatchObject({
    status: 200,
    json: {
      caller: { issuer: "urn:dogwatch:people", subject: "github:octocat", purpose: "replay", replay_of: session },
    },
  });
  const listed = (await ask(reader, "/v1/sessions")).json["items"] as { id: string }[];
  expect(listed.map((one) => one.id)).toContain(own);
  expect((await ask(reader, `/v1/replays/${String(id)}/calls`)).status).toBe(200);
  for (const path of [
    `/v1/sessions/${session}/replays`,
    `/v1/replays/${String(id)}`,
    `/v1/replays/${String(id)}/calls`,
    `/v1/sessions/${String(own)}`,
  ])
    expect((await ask(stranger, path)).status).toBe(404);
});

test("masked values are restored by no approver, and nothing is started without the form of their own page", async () => {
  const octocat = await scene.as("octocat");
  const asked = { connection: "lab", masked: "restore" };
  expect((await ask(octocat, `/v1/sessions/${session}/replays`, asked)).status).toBe(403);
  const response = await fetch(`${scene.url}/v1/sessions/${session}/replays`, {
    method: "POST",
    headers: { cookie: octocat.header(home), "content-type": "application/json" },
    body: JSON.stringify({ connection: "lab" }),
  });
  expect(response.status).toBe(403);
});
