/** What belongs together in an organization stays together: teams and their members, accounts and their keys, tests, orders, incidents. */

import { expect, test } from "vitest";
import { bothKeys, type Loose, openSandbox, type OpenSandbox } from "./open.ts";

const post = async (sandbox: OpenSandbox, path: string, body: unknown): Promise<Loose> => {
  const { status, text, json } = await sandbox.ask({ path, body });
  expect([status, text]).toEqual([expect.toSatisfy((code: number) => code < 300), text]);
  return json;
};

const user = (email: string) => ({ data: { type: "users", attributes: { email } } });

test("a team counts its members and links, and takes them with it", async () => {
  await using sandbox = await openSandbox();
  const { data: team } = await post(sandbox, "/api/v2/team", {
    data: { type: "team", attributes: { handle: "ops", name: "Ops" } },
  });
  const { data: person } = await post(sandbox, "/api/v2/users", user("a@example.com"));
  const path = `/api/v2/team/${team.id}`;
  const member = {
    data: { type: "team_memberships", relationships: { user: { data: { id: person.id, type: "users" } } } },
  };
  await post(sandbox, `${path}/memberships`, member);
  expect((await sandbox.ask({ path: `${path}/memberships`, body: member })).status).toBe(409);
  const label = { label: "runbook", url: "https://example.com" };
  await post(sandbox, `${path}/links`, { data: { type: "team_links", attributes: label } });
  expect((await sandbox.ask({ path })).json.data.attributes).toMatchObject({ user_count: 1, link_count: 1 });

  const other = { data: { type: "team", attributes: { handle: "ops", name: "Ops again" } } };
  expect((await sandbox.ask({ path: "/api/v2/team", body: other })).status).toBe(409);
  expect((await sandbox.ask({ method: "DELETE", path })).status).toBe(204);
  expect((await sandbox.ask({ path: `/api/v2/users/${person.id}/memberships` })).json.data).toEqual([]);
  expect((await sandbox.ask({ path: "/api/v2/team" })).json.meta.pagination.total).toBe(0);
});

test("a service account's keys are its own, and let callers in", async () => {
  const given = { apiKey: bothKeys["dd-api-key"], appKey: bothKeys["dd-application-key"] };
  await using sandbox = await openSandbox(given);
  const account = async (email: string): Promise<string> => {
    const attributes = { email, service_account: true };
    return (await post(sandbox, "/api/v2/service_accounts", { data: { type: "users", attributes } })).data.id;
  };
  const [one, two] = [await account("one@example.com"), await account("two@example.com")];
  const path = `/api/v2/service_accounts/${one}/application_keys`;
  const { data: key } = await post(sandbox, path, { data: { type: "application_keys", attributes: { name: "n" } } });
  const headers = { ...bothKeys, "dd-application-key": key.attributes.key };
  expect((await sandbox.ask({ path: "/api/v2/current_user", headers })).status).toBe(200);
  expect((await sandbox.ask({ path: `/api/v2/service_accounts/${two}/application_keys/${key.id}` })).status).toBe(404);
  expect((await sandbox.ask({ path: "/api/v2/current_user/application_keys" })).json.data).toEqual([]);
  expect((await sandbox.ask({ path: `${path}/${key.id}` })).text).not.toContain(key.attributes.key);
  expect((await sandbox.ask({ method: "DELETE", path: `${path}/${key.id}` })).status).toBe(204);
  expect((await sandbox.ask({ path: "/api/v2/current_user", headers })).status).toBe(403);
});

test("a role keeps what every role has, and is gone from the people who had it", async () => {
  await using sandbox = await openSandbox();
  const { data: role } = await post(sandbox, "/api/v2/roles", {
    data: { type: "roles", attributes: { name: "watchers" } },
  });
  const path = `/api/v2/roles/${role.id}`;
  const permissions = (await sandbox.ask({ path: "/api/v2/permissions" })).json.data;
  const restricted = permissions.find((each: Loose) => each.attributes.restricted);
  const free = permissions.find((each: Loose) => !each.attributes.restricted);
  const names = async (method: string, id: string): Promise<string[]> => {
    const body = { data: { type: "permissions", id } };
    const { json } = await sandbox.ask({ method, path: `${path}/permissions`, body });
    return json.data.map((each: Loose) => each.id);
  };
  expect(await names("POST", free.id)).toContain(free.id);
  expect(await names("DELETE", free.id)).not.toContain(free.id);
  expect(await names("DELETE", restricted.id)).toContain(restricted.id);

  const { data: person } = await post(sandbox, "/api/v2/users", user("b@example.com"));
  await post(sandbox, `${path}/users`, { data: { type: "users", id: person.id } });
  expect((await sandbox.ask({ path })).json.data.attributes.user_count).toBe(1);
  await sandbox.ask({ method: "DELETE", path });
  const roles = (await sandbox.ask({ path: `/api/v2/users/${person.id}` })).json.data.relationships.roles.data;
  expect(roles).toEqual([]);
});

test("a Synthetics test is paused, changed in part, listed without its steps, and keeps its secrets", async () => {
  await using sandbox = await openSandbox();
  const base = "/api/v1/synthetics/tests";
  const certificate = { cert: { content: "secret", filename: "c" }, key: { content: "secret", filename: "k" } };
  const made = await post(sandbox, `${base}/api`, {
    type: "api",
    subtype: "http",
    name: "n",
    locations: ["aws:eu-west-1"],
    options: { tick_every: 60 },
    config: { request: { url: "https://example.com", certificate }, steps: [{ name: "s", subtype: "wait", value: 1 }] },
  });
  expect(JSON.stringify(made)).not.toContain("secret");
  expect(made.config.steps[0].id).toMatch(/^\w{3}-\w{3}-\w{3}$/);
  const path = `${base}/${made.public_id}`;
  expect((await sandbox.ask({ method: "PUT", path: `${path}/status`, body: { new_status: "paused" } })).json).toBe(
    true,
  );
  const change = [
    { op: "replace", path: "/name", value: "renamed" },
    { op: "remove", path: "/config/steps/0/value" },
  ];
  const changed = await sandbox.ask({ method: "PATCH", path, body: { data: change } });
  expect(changed.json).toMatchObject({ name: "renamed", status: "paused", public_id: made.public_id });
  expect(changed.json.config.steps[0]).not.toHaveProperty("value");
  for (const bad of ["/__proto__/polluted", "/nowhere/at/all", "/config/steps/7/value"]) {
    const body = { data: [{ op: "add", path: bad, value: 1 }] };
    expect((await sandbox.ask({ method: "PATCH", path, body })).status).toBe(400);
  }
  expect((await sandbox.ask({ path: `${base}/browser/${made.public_id}` })).status).toBe(404);
  const gone = { public_ids: [made.public_id, "aaa-aaa-aaa"] };
  expect((await sandbox.ask({ path: `${base}/delete`, body: gone })).status).toBe(404);
  expect((await sandbox.ask({ path })).status).toBe(200);
});

test("pipelines and indexes are in the order that was given last, which names each once", async () => {
  await using sandbox = await openSandbox();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const made = await post(sandbox, "/api/v1/logs/config/pipelines", { name, filter: { query: "*" } });
    ids.push(made.id);
  }
  const path = "/api/v1/logs/config/pipeline-order";
  const order = async (pipeline_ids: string[]) =>
    (await sandbox.ask({ method: "PUT", path, body: { pipeline_ids } })).status;
  const backwards = ids.toReversed();
  expect(await order(backwards)).toBe(200);
  expect((await sandbox.ask({ path })).json.pipeline_ids).toEqual(backwards);
  for (const wrong of [ids.slice(1), [...ids, "x"], [ids[0] ?? "", ids[0] ?? "", ids[1] ?? ""]])
    expect(await order(wrong)).toBe(422);
  expect((await sandbox.ask({ path })).json.pipeline_ids).toEqual(backwards);

  await post(sandbox, "/api/v1/logs/config/indexes", { name: "audit", filter: { query: "source:audit" } });
  const indexes = "/api/v1/logs/config/index-order";
  const body = { index_names: ["audit", "main"] };
  expect((await sandbox.ask({ method: "PUT", path: indexes, body })).json).toEqual(body);
  expect((await sandbox.ask({ path: "/api/v1/logs/config/indexes" })).json.indexes[0].name).toBe("audit");
});

test("an incident is found by its fields, resolved once, and answers for its parts", async () => {
  await using sandbox = await openSandbox();
  const attributes = { title: "Down", customer_impacted: true, fields: { severity: { value: "SEV-1" } } };
  const { data } = await post(sandbox, "/api/v2/incidents", { data: { type: "incidents", attributes } });
  expect(data.attributes).toMatchObject({ severity: "SEV-1", state: "active", resolved: null });
  const path = `/api/v2/incidents/${data.id}`;
  const found = async (query: string): Promise<number> =>
    (await sandbox.ask({ path: `/api/v2/incidents/search?query=${encodeURIComponent(query)}` })).json.data.attributes
      .total;
  expect(await found("state:(active OR stable) AND severity:SEV-1")).toBe(1);
  expect(await found("severity:SEV-2")).toBe(0);
  sandbox.pass(60_000);
  const resolve = {
    data: { type: "incidents", id: data.id, attributes: { fields: { state: { value: "resolved" } } } },
  };
  const resolved = await sandbox.ask({ method: "PATCH", path, body: resolve });
  expect(resolved.json.data.attributes).toMatchObject({ state: "resolved", severity: "SEV-1", time_to_resolve: 60 });
  const todo = { data: { type: "incident_todos", attributes: { content: "c", assignees: ["@a"] } } };
  await post(sandbox, `${path}/relationships/todos`, todo);
  expect((await sandbox.ask({ path: `${path}/relationships/todos` })).json.data).toHaveLength(1);
  await sandbox.ask({ method: "DELETE", path });
  expect((await sandbox.ask({ path: `${path}/relationships/todos` })).status).toBe(404);
});
