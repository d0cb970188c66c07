/** What is looked at before a question is asked, what of it is the state, and how it is called in plain words. */

import { expect, test } from "vitest";
import { lookOf, stateOf } from "../../../server/stages/escalate/look.ts";
import { plainWords, titleOf } from "../../../server/stages/escalate/title.ts";
import { volatileFields } from "../../../server/stages/escalate/volatile.ts";
import { catalogue, monitor, operationOf } from "./example.ts";

const look = (method: string, path: string) => {
  const found = lookOf(catalogue, { prefix: "api", path, operation: operationOf(method, path) });
  return "why" in found ? found.why : `${found.operation.name} ${found.path}`;
};

test.each([
  ["DELETE", "/api/v1/monitor/4212", "GetMonitor /api/v1/monitor/4212"],
  ["PUT", "/api/v1/dashboard/abc-def-ghi", "GetDashboard /api/v1/dashboard/abc-def-ghi"],
  [
    "PATCH",
    "/api/v2/downtime/00000000-0000-0000-0000-000000000000",
    "GetDowntime /api/v2/downtime/00000000-0000-0000-0000-000000000000",
  ],
  [
    "DELETE",
    "/api/v1/integration/webhooks/configuration/webhooks/a%2Fb",
    "GetWebhooksIntegration /api/v1/integration/webhooks/configuration/webhooks/a%2Fb",
  ],
  ["POST", "/api/v1/monitor", "it creates something new"],
  ["POST", "/api/v2/team", "it creates something new"],
  ["DELETE", "/api/v1/dashboard", "it changes several things at once, and Datadog shows only all there are"],
  ["DELETE", "/api/v9/nothing", "Dogwatch does not know this operation"],
  ["POST", "/api/v2/series", "it submits data, and nothing is there before"],
])("%s %s: %s", (method, path, expected) => {
  expect(look(method, path)).toBe(expected);
});

test("an action on a thing looks at the thing", () => {
  expect(look("POST", "/api/v2/cases/77/archive")).toBe("GetCase /api/v2/cases/77");
});

test("no look is anything but a read of the catalogue, whatever is held", () => {
  let looked = 0;
  for (const { id, method, path, hosts } of catalogue.entries) {
    const raw = path.replaceAll(/\{\w+\}/g, "7");
    const operation = { ...operationOf(method, raw), id };
    const found = lookOf(catalogue, { prefix: hosts[0] ?? "api", path: raw, operation });
    if ("why" in found) continue;
    looked++;
    expect(found.operation).toMatchObject({ method: "GET", access: "read", known: true });
    expect(raw.startsWith(found.path)).toBe(true);
  }
  expect(looked).toBeGreaterThan(300);
});

const state = (value: unknown, operation = "v1.MonitorsApi.GetMonitor") =>
  stateOf(operation, Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

test("what a monitor does by itself is no change, and what people do to it is", () => {
  const { digest, text } = state(monitor);
  expect(text).not.toMatch(/overall_state|"modified"/);
  expect(
    state({ ...monitor, overall_state: "Alert", overall_state_modified: "now", modified: "now", state: { groups: {} } })
      .digest,
  ).toBe(digest);
  expect(state({ ...monitor, name: "other" }).digest).not.toBe(digest);
  expect(state({ ...monitor, options: { ...monitor.options, silenced: { "*": null } } }).digest).not.toBe(digest);
  expect(state({ ...monitor, new_field: null }).digest).not.toBe(digest);
  expect(state({ ...monitor, options: { ...monitor.options, overall_state: "x" } }).digest).not.toBe(digest);
});

test("the same names in another operation's answer are content", () => {
  expect(state({ state: "x" }, "v2.RolesApi.GetRole").digest).not.toBe(
    state({ state: "y" }, "v2.RolesApi.GetRole").digest,
  );
});

test("the order of members and the spelling of numbers do not matter, the order of lists and the last digit do", () => {
  const { digest } = state('{"a": 1.0, "b": [1, 2], "c": "\\u0041"}');
  expect(state('{"c":"A","b":[1,2],"a":1}').digest).toBe(digest);
  expect(state('{"a": 1, "b": [2, 1], "c": "A"}').digest).not.toBe(digest);
  expect(state('{"id": 9007199254740993}').digest).not.toBe(state('{"id": 9007199254740992}').digest);
  expect(state('{"id": 9007199254740993}').text).toContain("9007199254740993");
  expect(state('{"a": "1"}').digest).not.toBe(state('{"a": 1}').digest);
});

test("what is not JSON, or not only one JSON, is the state byte for byte", () => {
  expect(state('{"a":1,"a":2}').digest).not.toBe(state('{"a":2}').digest);
  expect(stateOf("x", Buffer.from([0xff])).digest).not.toBe(stateOf("x", Buffer.from([0xfe])).digest);
  expect(state("").digest).not.toBe(state("null").digest);
});

test("every operation with volatile fields is a read of the catalogue", () => {
  const reads = new Set(catalogue.entries.filter(({ method }) => method === "GET").map(({ id }) => id));
  for (const operation of volatileFields.keys()) expect(reads).toContain(operation);
});

test.each([
  ["DeleteMonitor", "Delete monitor"],
  ["UpdateSLO", "Update SLO"],
  ["DeleteAWSAccount", "Delete AWS account"],
  ["ListSLOs", "List SLOs"],
  ["CreateLLMObsProjects", "Create LLM Observability projects"],
  ["UpdatePagerDutyIntegrationService", "Update PagerDuty integration service"],
  ["UploadIdPMetadata", "Upload IdP metadata"],
  ["CancelFleetDeploymentV2", "Cancel fleet deployment v2"],
  ["DeleteOAuth2ClientCredentials", "Delete OAuth2 client credentials"],
])("%s reads %s", (name, expected) => {
  expect(plainWords(name)).toBe(expected);
});

test("every operation of the catalogue has a title of words", () => {
  for (const { id } of catalogue.entries)
    expect(plainWords(id.split(".").at(-1) ?? "")).toMatch(/^[A-Z][A-Za-z0-9 -]+$/);
});

test.each([
  ["DELETE", "/api/v1/monitor/4212", JSON.stringify(monitor), "Delete monitor 4212 “Checkout latency p99”"],
  ["POST", "/api/v1/dashboard", '{"title":"Shop"}', "Create dashboard “Shop”"],
  ["PATCH", "/api/v2/roles/7", '{"data":{"id":"7","attributes":{"name":"Admins"}}}', "Update role 7 “Admins”"],
  ["DELETE", "/api/v2/team/12/memberships/77", null, "Delete team membership 77 (team id 12)"],
  ["DELETE", "/api/v2/users/7", '{"data":{"attributes":{"name":null,"handle":"ana"}}}', "Disable user 7 “ana”"],
  ["DELETE", "/api/v1/integration/webhooks/configuration/webhooks/w", '{"name":"w"}', "Delete webhooks integration w"],
  ["DELETE", "/api/v9/x", null, "DELETE /api/v9/x"],
])("%s %s is called in plain words", (method, path, text, expected) => {
  expect(titleOf(operationOf(method, path), { texts: [text], isSecret: false })).toBe(expected);
});

test("a title is one short line, whatever the thing is called", () => {
  const title = titleOf(operationOf("DELETE", "/api/v1/monitor/4212"), {
    texts: [JSON.stringify({ name: "\u202Ex\n".repeat(1_000_000) })],
    isSecret: false,
  });
  expect(title.length).toBeLessThan(400);
  expect(title).not.toMatch(/\p{C}/u);
});
