/** Names move, ids stay: renamed, transferred, deleted and made again. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { Acme } from "./acme.ts";

let acme: Acme;
beforeEach(async () => {
  acme = await Acme.open();
});
afterEach(() => acme.close());

const look = (path: string, token = acme.token()) => acme.ask("GET", path, { token });

test("the old name leads to the id, for reading and for writing", async () => {
  const { github, checkout } = acme;
  github.repositories.rename(checkout, "acme/payments");
  const moved = await look("/repos/acme/checkout/pulls/7");
  expect(moved.status).toBe(301);
  expect(moved.headers.get("location")).toBe(`${github.apiUrl}/repositories/70/pulls/7`);
  expect(await look("/repositories/70/pulls/7")).toMatchObject({
    status: 200,
    body: { html_url: `${github.url}/acme/payments/pull/7` },
  });
  const write = { token: acme.token(), body: { body: "Hello" } };
  expect((await acme.ask("POST", "/repos/acme/checkout/issues/7/comments", write)).status).toBe(307);
  expect((await acme.ask("POST", "/repositories/70/issues/7/comments", write)).status).toBe(201);
  expect(await acme.ask("GET", "/repositories/70/installation", { token: await acme.jwt() })).toMatchObject({
    status: 200,
    body: { id: acme.installation.id },
  });
});

test("a name that was given up and taken again is another repository", async () => {
  const { github, checkout } = acme;
  github.repositories.rename(checkout, "acme/payments");
  const other = github.repositories.add("acme/checkout");
  expect((await look("/repos/acme/checkout")).body.id).toBe(other.id);
  expect((await look("/repos/acme/checkout/pulls/7")).status).toBe(404);
  expect((await look("/repos/acme/payments")).body.id).toBe(70);
});

test("a deleted repository is gone, and one of its name has another id", async () => {
  const { github, checkout } = acme;
  github.repositories.remove(checkout);
  expect((await look("/repos/acme/checkout")).status).toBe(404);
  const again = github.repositories.add("acme/checkout");
  expect((await look("/repos/acme/checkout")).body.id).toBe(again.id);
  expect(again.id).not.toBe(70);
});

test("a transfer takes a repository away from the installation of its old owner", async () => {
  const { github, checkout } = acme;
  const token = acme.token();
  github.repositories.rename(checkout, "umbrella/checkout");
  expect((await look("/repos/umbrella/checkout", token)).status).toBe(404);
  const there = github.apps.install(acme.app, { account: "umbrella" });
  const theirs = github.apps.token(there);
  expect((await look("/repos/umbrella/checkout", theirs)).body).toMatchObject({ id: 70, owner: { login: "umbrella" } });
});

test("two owners have repositories of the same name", async () => {
  const { github } = acme;
  const theirs = github.repositories.add("umbrella/checkout");
  github.apps.install(acme.app, { account: "umbrella" });
  const installed = async (name: string) =>
    (await acme.ask("GET", `/repos/${name}/installation`, { token: await acme.jwt() })).body.account.login;
  expect(await installed("acme/checkout")).toBe("acme");
  expect(await installed("umbrella/checkout")).toBe("umbrella");
  expect(theirs.id).not.toBe(70);
});

test("a login that was given up and taken again is somebody else, who may nothing", async () => {
  const { github } = acme;
  const mona = github.accounts.named("mona");
  github.accounts.rename("mona", "lisa");
  const other = github.accounts.add("mona");
  const may = async (login: string) => (await look(`/repos/acme/checkout/collaborators/${login}/permission`)).body;
  expect(await may("lisa")).toMatchObject({ permission: "write", role_name: "maintain", user: { id: mona.id } });
  expect(await may("mona")).toMatchObject({ permission: "none", role_name: "none", user: { id: other.id } });
  github.accounts.remove("lisa");
  expect((await look("/users/lisa")).status).toBe(404);
});

test("roles have an older word and their own name, custom ones too", async () => {
  const { github, checkout } = acme;
  const may = async (login: string) => {
    const { permission, role_name } = (await look(`/repos/acme/checkout/collaborators/${login}/permission`)).body;
    return [permission, role_name];
  };
  expect(await may("octocat")).toEqual(["write", "write"]);
  github.repositories.permit(checkout, "rita", "triage");
  expect(await may("rita")).toEqual(["read", "triage"]);
  github.repositories.permit(checkout, "rita", { role: "write", role_name: "release-manager" });
  expect(await may("rita")).toEqual(["write", "release-manager"]);
  github.repositories.permit(checkout, "rita", "none");
  expect(await may("rita")).toEqual(["none", "none"]);
  expect((await look("/repos/acme/checkout/collaborators/nobody/permission")).status).toBe(404);
});

test("members of a team are active, invited or none", async () => {
  const { github } = acme;
  const team = github.accounts.addTeam("acme", "sre", ["mona"]);
  github.accounts.join(team, "rita", "pending");
  const member = async (login: string) =>
    (await look(`/orgs/acme/teams/sre/memberships/${login}`)).body.state as unknown;
  expect(await member("mona")).toBe("active");
  expect(await member("rita")).toBe("pending");
  expect(await member("octocat")).toBeUndefined();
  github.accounts.leave(team, "mona");
  expect(await member("mona")).toBeUndefined();
  github.accounts.addTeam("umbrella", "sre", ["mona"]);
  expect((await look("/orgs/umbrella/teams/sre/memberships/mona")).status).toBe(404);
});
