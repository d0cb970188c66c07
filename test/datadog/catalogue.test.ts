/** The catalogue names what the official client, datadog-ci and the Agent send, and nothing else. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatCatalogue, isCurrent, readClient } from "../../scripts/catalogue.ts";
import {
  buildCatalogue,
  lookUp,
  type CatalogueEntry,
  type GeneratedOperation,
} from "../../server/datadog/catalogue.ts";
import generated from "../../server/datadog/catalogue.generated.json" with { type: "json" };
import { intakeRoutes } from "../../server/datadog/intake.ts";
import { loadRecordings, recordingsMissing } from "../standins/recordings.ts";

const catalogue = buildCatalogue();
const client: readonly GeneratedOperation[] = generated.operations as readonly GeneratedOperation[];
const own = { method: "GET", path: "/api/v1/monitor/4212" };
const fill = (path: string): string => path.replace(/\{\w+\}/g, (name) => `x-${name.slice(1, -1)}`);
const isIntake = (entry: CatalogueEntry): boolean =>
  !client.some(({ id, path }) => id === entry.id && path === entry.path);

describe("the generated file", () => {
  test("says what the installed client says", () => {
    expect(isCurrent(), "run `node scripts/catalogue.ts` and review the difference").toBe(true);
  });

  test("holds every operation of client 1.64.0 once", () => {
    const count = (by: (operation: { id: string; method: string }) => string) =>
      Object.fromEntries([...Map.groupBy(client, by)].map(([key, list]) => [key, list.length]));
    expect(generated.client).toBe("1.64.0");
    expect(client).toHaveLength(1831);
    expect(new Set(client.map(({ id }) => id)).size).toBe(1831);
    expect(new Set(client.map(({ method, path }) => `${method} ${path}`)).size).toBe(1831);
    expect(count(({ id }) => id.slice(0, 2))).toEqual({ v1: 235, v2: 1596 });
    expect(count(({ method }) => method)).toEqual({ GET: 782, POST: 485, DELETE: 262, PATCH: 185, PUT: 117 });
  });

  test("is one operation a line", () => {
    expect(formatCatalogue(readClient()).split("\n")).toHaveLength(1831 + 6);
  });
});

describe("looking up", () => {
  test("finds every operation by its own route, on every host that serves it", () => {
    const wrong = catalogue.entries.flatMap((entry) =>
      entry.hosts
        .map((host) => lookUp(catalogue, host, { method: entry.method, path: fill(entry.path) }))
        .filter(
          (found) =>
            found.id !== entry.id || found.path !== entry.path || !found.known || found.access !== entry.access,
        )
        .map((found) => `${entry.method} ${entry.path}: ${found.id}`),
    );
    expect(wrong).toEqual([]);
  });

  test("gives the parameters by the template's names", () => {
    const path = "/api/v1/org/abc/downgrade";
    expect(lookUp(catalogue, "api", { method: "POST", path })).toEqual({
      id: "v1.OrganizationsApi.DowngradeOrg",
      name: "DowngradeOrg",
      api: "OrganizationsApi",
      version: "v1",
      access: "destructive",
      method: "POST",
      path: "/api/v1/org/{public_id}/downgrade",
      known: true,
      params: { public_id: "abc" },
    });
  });

  test("decodes a parameter once", () => {
    const found = lookUp(catalogue, "api", { method: "GET", path: "/api/v2/metrics/a%2Fb%2520c/tags" });
    expect(found.params).toEqual({ metric_name: "a/b%20c" });
  });

  test("takes the literal before the parameter, and the parameter where the literal leads nowhere", () => {
    const name = (method: string, path: string) => lookUp(catalogue, "api", { method, path }).name;
    expect(name("GET", "/api/v1/monitor/can_delete")).toBe("CheckCanDeleteMonitor");
    expect(name("GET", "/api/v1/monitor/search")).toBe("SearchMonitors");
    expect(name("DELETE", "/api/v1/monitor/can_delete")).toBe("DeleteMonitor");
    expect(name("GET", "/api/v1/synthetics/tests/api/results")).toBe("GetAPITest");
    expect(name("GET", "/api/v1/synthetics/tests/search/results")).toBe("GetAPITestLatestResults");
    expect(lookUp(catalogue, "api", { method: "GET", path: "/api/v1/synthetics/tests/search/results" }).params).toEqual(
      {
        public_id: "search",
      },
    );
  });

  test("does not care about one slash at the end, and cares about two", () => {
    expect(lookUp(catalogue, "api", { ...own, path: "/api/v1/monitor/4212/" }).name).toBe("GetMonitor");
    expect(lookUp(catalogue, "api", { method: "POST", path: "/intake/" }).id).toBe("AgentIntake.SubmitHostMetadataV5");
    expect(lookUp(catalogue, "api", { ...own, path: "/api/v1/monitor/4212//" }).known).toBe(false);
  });

  test("reads HEAD as GET and keeps its name", () => {
    expect(lookUp(catalogue, "api", { ...own, method: "HEAD" })).toMatchObject({
      name: "GetMonitor",
      access: "read",
      method: "HEAD",
    });
    expect(lookUp(catalogue, "api", { method: "HEAD", path: "/api/v1/series" }).known).toBe(false);
  });

  test.each([
    ["a path nobody knows", "GET", "/api/v1/monitors/4212"],
    ["one segment too many", "GET", "/api/v1/monitor/4212/extra"],
    ["one too few", "GET", "/api/v1"],
    ["another case", "GET", "/API/v1/monitor/4212"],
    ["a method it does not have", "PATCH", "/api/v1/monitor/4212"],
    ["a method in lower case", "get", "/api/v1/monitor/4212"],
    ["OPTIONS", "OPTIONS", "/api/v1/monitor/4212"],
    ["an empty parameter", "GET", "/api/v2/metrics//tags"],
    ["names that every object has", "GET", "/__proto__/constructor/toString"],
    ["a method that every object has", "constructor", "/api/v1/monitor"],
    ["the MCP server, which is no part of this", "POST", "/api/unstable/mcp-server/mcp"],
  ])("calls %s unknown", (_, method, path) => {
    expect(lookUp(catalogue, "api", { method, path })).toEqual({
      id: "unknown",
      name: "unknown",
      api: "",
      version: "",
      access: "unknown",
      method,
      path,
      known: false,
      params: {},
    });
  });

  test("knows an operation only on the hosts that serve it", () => {
    expect(lookUp(catalogue, "http-intake.logs", { method: "POST", path: "/api/v2/logs" }).id).toBe(
      "v2.LogsApi.SubmitLog",
    );
    expect(lookUp(catalogue, "http-intake.logs", own).known).toBe(false);
    expect(lookUp(catalogue, "nowhere", own).known).toBe(false);
    expect(lookUp(catalogue, "trace.agent", { method: "POST", path: "/api/v0.2/traces" }).id).toBe(
      "AgentIntake.SubmitTraces",
    );
    expect(lookUp(catalogue, "api", { method: "POST", path: "/api/v0.2/traces" }).known).toBe(false);
  });

  test("finds a parameter of any length", () => {
    const path = `/api/v1/monitor/${"9".repeat(5000)}`;
    expect(lookUp(catalogue, "api", { method: "DELETE", path }).name).toBe("DeleteMonitor");
  });

  test("leaves the catalogue as it was, whatever is looked up", () => {
    const before = JSON.stringify(plain(catalogue.trees));
    for (const path of [
      "/",
      "/x",
      "/api/v1/monitor/1",
      "/api/v1/__proto__",
      "/new/route",
      "/api/v1/monitor/new/leaf",
    ]) {
      for (const method of ["GET", "POST", "BREW"]) lookUp(catalogue, "api", { method, path });
    }
    expect(JSON.stringify(plain(catalogue.trees))).toBe(before);
    expect(Object.isFrozen(lookUp(catalogue, "api", { method: "GET", path: "/api/v1/monitor" }))).toBe(true);
  });
});

describe("routes that the official client does not know", () => {
  test("all of datadog-ci's are known, on the host and with the method of some command", () => {
    const bundle = join(
      dirname(createRequire(import.meta.url).resolve("@datadog/datadog-ci/package.json")),
      "dist/bundle.js",
    );
    const routes = new Set(
      readFileSync(bundle, "utf8").match(/"\/(?:api\/(?:intake|ui|v[12])|synthetics|v1\/input)[\w/:.-]*"/g),
    );
    expect(routes.size).toBeGreaterThanOrEqual(32);
    const unknown = [...routes].map((quoted) => JSON.parse(quoted) as string).filter((route) => !isServed(route));
    expect(unknown).toEqual([]);
  });

  test("never carry the id of an operation with another route", () => {
    const ids = new Set(catalogue.entries.filter(isIntake).map(({ id }) => id));
    const clash = client.filter(({ id, path }) => ids.has(id) && path !== "/v1/input");
    expect(clash).toEqual([]);
  });

  test("have one access class a name", () => {
    const byName = Map.groupBy(intakeRoutes, ({ api, name }) => `${api}.${name}`);
    const torn = [...byName].filter(([, routes]) => new Set(routes.map(({ access }) => access)).size > 1);
    expect(torn.map(([name]) => name)).toEqual([]);
  });

  test("take an API key in the path as an operation that submits", () => {
    const found = lookUp(catalogue, "http-intake.logs", { method: "POST", path: "/v1/input/{api_key}" });
    expect(found).toMatchObject({ id: "v1.LogsApi.SubmitLog", access: "submit", path: "/v1/input/{api_key}" });
  });
});

const recordings = loadRecordings();

test("names every recorded exchange", ({ skip }) => {
  if (recordings === null) skip(recordingsMissing);
  const requests = (recordings ?? []).flatMap(({ exchanges }) => exchanges.map(({ request }) => request));
  expect(requests.length).toBeGreaterThanOrEqual(1160);
  const found = requests.map((request) => ({ request, operation: lookUp(catalogue, "api", request) }));
  const unnamed = found.filter(({ operation }) => !operation.known);
  expect(unnamed.map(({ request }) => `${request.method} ${request.path}`)).toEqual([]);
  const misnamed = found.filter(
    ({ operation, request }) => !`${request.path}/`.startsWith(`/api/${operation.version}/`) && request.path !== "/",
  );
  expect(misnamed.map(({ request, operation }) => `${request.path}: ${operation.id}`)).toEqual([]);
});

/** datadog-ci writes Synthetics routes without the version of their API, and the types of tests as a parameter. */
function isServed(route: string): boolean {
  const [path = ""] = route.replace(":testType", "api").replace(/:\w+/g, "abc-def-ghi").split("?");
  const paths = path.startsWith("/synthetics/")
    ? ["v1", "v2", "unstable"].map((version) => `/api/${version}${path}`)
    : [path];
  return ["GET", "POST", "PUT"].some((method) =>
    [...catalogue.trees.keys()].some((host) =>
      paths.some((each) => lookUp(catalogue, host, { method, path: each }).known),
    ),
  );
}

/** Maps as arrays, so that a tree can be compared. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, each]) => [key, plain(each)]);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, each]) => [key, plain(each)]);
}
