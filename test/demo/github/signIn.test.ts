/** People at the stand-in: signing in to an App, making one from a manifest, installing it. */

import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Acme } from "./acme.ts";

const callback = "http://127.0.0.1:9999/sign-in/github/callback";
const verifier = "a-verifier-of-forty-three-characters-at-least";
const challenge = createHash("sha256").update(verifier).digest("base64url");

let acme: Acme;
beforeEach(async () => {
  acme = await Acme.open();
});
afterEach(() => acme.close());

const web = (path: string, init: RequestInit = {}) =>
  fetch(`${acme.github.url}${path}`, { redirect: "manual", ...init });
const form = (values: Record<string, string>): RequestInit => ({ method: "POST", body: new URLSearchParams(values) });

describe("signing in", () => {
  const register = () => acme.github.apps.register({ owner: "acme", name: "Sign in", callback_urls: [callback] });
  const asking = (client_id: string, more: Record<string, string> = {}) => ({
    client_id,
    redirect_uri: callback,
    state: "s1",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...more,
  });
  /** The code that comes back. */
  const codeFor = async (client_id: string, login: string) => {
    acme.github.visitors.preset(login);
    const answer = await web(`/login/oauth/authorize?${String(new URLSearchParams(asking(client_id)))}`);
    const location = new URL(answer.headers.get("location") ?? "");
    expect(`${location.origin}${location.pathname}`).toBe(callback);
    expect(location.searchParams.get("state")).toBe("s1");
    return location.searchParams.get("code") ?? "";
  };
  const exchange = async (values: Record<string, string>) => {
    const answer = await web("/login/oauth/access_token", { ...form(values), headers: { accept: "application/json" } });
    return [answer.status, await answer.json()] as [number, Record<string, string>];
  };

  test("gives a code that is exchanged once, by the App it was for, with what the App kept", async () => {
    const app = await register();
    const { client_id, client_secret } = app;
    const good = { client_id, client_secret, redirect_uri: callback, code_verifier: verifier };
    const [, token] = await exchange({ ...good, code: await codeFor(client_id, "mona") });
    expect(token).toMatchObject({ token_type: "bearer", scope: "" });
    expect((await acme.ask("GET", "/user", { token: token["access_token"]! })).body).toMatchObject({ login: "mona" });

    const refused = async (values: Record<string, string>) => (await exchange(values))[1]["error"];
    const code = await codeFor(client_id, "mona");
    await exchange({ ...good, code });
    expect(await refused({ ...good, code })).toBe("bad_verification_code");
    expect(await refused({ ...good, code: await codeFor(client_id, "mona"), code_verifier: "another" })).toBe(
      "bad_verification_code",
    );
    expect(await refused({ ...good, code: await codeFor(client_id, "mona"), client_secret: "x" })).toBe(
      "incorrect_client_credentials",
    );
    expect(await refused({ ...good, code: await codeFor(client_id, "mona"), redirect_uri: `${callback}/x` })).toBe(
      "redirect_uri_mismatch",
    );
    const { client_id: other, client_secret: secret } = acme.app;
    const stolen = { ...good, client_id: other, client_secret: secret, code: await codeFor(client_id, "mona") };
    expect(await refused(stolen)).toBe("bad_verification_code");
    const late = await codeFor(client_id, "mona");
    acme.later(600_000);
    expect(await refused({ ...good, code: late })).toBe("bad_verification_code");
  });

  test("asks who one is when nothing is preset, and can be cancelled", async () => {
    const { client_id } = await register();
    const page = await (await web(`/login/oauth/authorize?${String(new URLSearchParams(asking(client_id)))}`)).text();
    expect(page).toContain("Sign in as mona");
    expect(page).not.toContain("dogwatch[bot]");
    const agreed = await web("/login/oauth/authorize", form(asking(client_id, { login: "rita" })));
    expect(agreed.headers.get("location")).toContain("code=");
    const cancelled = await web("/login/oauth/authorize", form(asking(client_id, { login: "" })));
    expect(cancelled.headers.get("location")).toContain("error=access_denied");
  });

  test("leads nowhere that the App did not name", async () => {
    const { client_id } = await register();
    acme.github.visitors.preset("mona");
    for (const redirect_uri of ["https://evil.example.com/", `${callback}/../x`, `${callback}?x=1`]) {
      const answer = await web(
        `/login/oauth/authorize?${String(new URLSearchParams(asking(client_id, { redirect_uri })))}`,
      );
      expect([answer.status, answer.headers.get("location")], redirect_uri).toEqual([400, null]);
    }
    expect((await web("/login/oauth/authorize?client_id=nobody")).status).toBe(404);
  });
});

describe("an App from a manifest", () => {
  const manifest = {
    name: "Dogwatch at Acme",
    url: "http://127.0.0.1:9999",
    hook_attributes: { url: "http://127.0.0.1:9999/webhooks/github" },
    redirect_url: "http://127.0.0.1:9999/github/setup",
    callback_urls: [callback],
    setup_url: "http://127.0.0.1:9999/github/installed",
    public: false,
    default_events: ["issue_comment"],
    default_permissions: { metadata: "read", pull_requests: "write" },
  };
  const start = (path = "/organizations/acme/settings/apps/new?state=s2", made: object = manifest) =>
    web(path, { ...form({ manifest: JSON.stringify(made) }), headers: { origin: "http://127.0.0.1:9999" } });
  const codeIn = (answer: Response) => new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const convert = (code: string) => acme.ask("POST", `/app-manifests/${code}/conversions`);

  test("is made by a person, and its secrets are handed over once", async () => {
    const page = await (await start()).text();
    expect(page).toContain("Create GitHub App for acme");
    expect(page).toContain("pull_requests: write");
    const agreed = await web(
      "/settings/apps/manifest",
      form({ manifest: JSON.stringify(manifest), state: "s2", owner: "acme", name: "Dogwatch for Acme" }),
    );
    expect(agreed.headers.get("location")).toMatch(
      /^http:\/\/127\.0\.0\.1:9999\/github\/setup\?code=[0-9a-f]+&state=s2$/,
    );
    const code = codeIn(agreed);
    const { status, body } = await convert(code);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      slug: "dogwatch-for-acme",
      name: "Dogwatch for Acme",
      owner: { login: "acme" },
      permissions: manifest.default_permissions,
      events: ["issue_comment"],
      webhook_secret: expect.stringMatching(/^[0-9a-f]{40}$/),
      client_secret: expect.stringMatching(/^[0-9a-f]{40}$/),
      pem: expect.stringContaining("-----BEGIN RSA PRIVATE KEY-----"),
    });
    expect(
      (await acme.ask("GET", "/app", { token: await acme.jwt({ iss: String(body.id), pem: body.pem }) })).status,
    ).toBe(200);
    expect((await convert(code)).status).toBe(404);
    expect(acme.github.apps.named("dogwatch-for-acme").webhook_url).toBe("http://127.0.0.1:9999/webhooks/github");
  });

  test("is made at once where somebody is preset, and is too late after an hour", async () => {
    acme.github.visitors.preset("mona");
    const code = codeIn(await start());
    acme.later(3_600_000);
    expect((await convert(code)).status).toBe(404);
    const personal = codeIn(await start("/settings/apps/new", { ...manifest, hook_attributes: undefined }));
    expect((await convert(personal)).body).toMatchObject({ owner: { login: "mona" }, webhook_secret: null });
  });

  test("that GitHub would not take is refused", async () => {
    for (const made of [
      { ...manifest, url: undefined },
      { ...manifest, redirect_url: "no" },
      { ...manifest, name: "x".repeat(35) },
      { ...manifest, extra: 1 },
    ])
      expect((await start(undefined, made)).status).toBe(422);
    expect((await web("/settings/apps/new", form({ manifest: "{" }))).status).toBe(422);
  });

  test("is installed on all repositories or on some, and the way leads back", async () => {
    acme.github.visitors.preset("mona");
    const { body } = await convert(codeIn(await start()));
    acme.github.visitors.preset(null);
    expect(await (await web(`/apps/${body.slug}/installations/new`)).text()).toContain("acme/checkout");
    const chosen = await web(`/apps/${body.slug}/installations/new`, form({ repository: "70", state: "s3" }));
    expect(chosen.headers.get("location")).toMatch(
      /\/github\/installed\?installation_id=\d+&setup_action=install&state=s3$/,
    );
    const app = acme.github.apps.named(body.slug as string);
    expect(acme.github.apps.installations(app)).toMatchObject([{ account: { login: "acme" } }]);
    const token = await acme.jwt({ iss: String(app.id), pem: app.pem });
    expect((await acme.ask("GET", "/app/installations", { token })).body).toMatchObject([
      { repository_selection: "selected" },
    ]);
  });
});
