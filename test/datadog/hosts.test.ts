/** A host is served only when it is, as a whole name, one of its site's. */

import { describe, expect, test } from "vitest";
import { buildCatalogue } from "../../server/datadog/catalogue.ts";
import { hostOfPrefix, hostsOf, isSite, keysOf, prefixOfHost, sites } from "../../server/datadog/hosts.ts";

test("no host belongs to two sites", () => {
  const all = sites.flatMap((site) => hostsOf(site));
  expect(new Set(all).size).toBe(all.length);
});

test("every host of the catalogue is a host of every site", () => {
  const prefixes = [...buildCatalogue().trees.keys()].filter((prefix) => prefix !== "");
  const missing = sites.flatMap((site) =>
    prefixes.filter((prefix) => prefixOfHost(site, hostOfPrefix(site, prefix) ?? "") !== prefix),
  );
  expect(missing).toEqual([]);
});

test.each([
  ["datadoghq.com", "api", "api.datadoghq.com"],
  ["datadoghq.eu", "http-intake.logs", "http-intake.logs.datadoghq.eu"],
  ["us2.ddog-gov.com", "api", "api.us2.ddog-gov.com"],
  ["datadoghq.com", "browser-intake", "browser-intake-datadoghq.com"],
  ["us5.datadoghq.com", "browser-intake", "browser-intake-us5-datadoghq.com"],
  ["us2.ddog-gov.com", "browser-intake", "browser-intake-us2-ddog-gov.com"],
  ["datadoghq.com", "navy.oncall", "navy.oncall.datadoghq.com"],
  ["datadoghq.eu", "navy.oncall", "beige.oncall.datadoghq.eu"],
  ["us3.datadoghq.com", "navy.oncall", "teal.oncall.datadoghq.com"],
  ["us3.datadoghq.com", "", "us3.datadoghq.com"],
])("%s: %s is %s", (site, prefix, host) => {
  expect(hostOfPrefix(site, prefix)).toBe(host);
  expect(prefixOfHost(site, host)).toBe(prefix);
});

describe("refuses", () => {
  test.each([
    ["another site that ends alike", "datadoghq.com", "api.us3.datadoghq.com"],
    ["the site that it ends like", "us3.datadoghq.com", "api.datadoghq.com"],
    ["another region's on-call host", "datadoghq.com", "teal.oncall.datadoghq.com"],
    ["a name that begins like a host", "datadoghq.com", "api.datadoghq.com.evil.example"],
    ["a name that ends like one", "datadoghq.com", "evilapi.datadoghq.com"],
    ["a host nobody listed", "datadoghq.com", "internal.datadoghq.com"],
    ["the bare site of two labels", "datadoghq.com", "datadoghq.com"],
    ["a mixed case", "datadoghq.com", "API.datadoghq.com"],
    ["a port", "datadoghq.com", "api.datadoghq.com:443"],
    ["userinfo", "datadoghq.com", "api.datadoghq.com@evil.example"],
    ["a dot at the end", "datadoghq.com", "api.datadoghq.com."],
    ["an address", "datadoghq.com", "169.254.169.254"],
    ["a name that every object has", "datadoghq.com", "__proto__"],
    ["nothing", "datadoghq.com", ""],
    ["any host of no site", "evil.example", "api.evil.example"],
    ["any host of a name that every object has", "constructor", "api.constructor"],
  ])("%s", (_, site, host) => {
    expect(prefixOfHost(site, host)).toBeUndefined();
    expect(keysOf(site, host)).toBeUndefined();
  });

  test("prefixes that are none", () => {
    expect(hostOfPrefix("datadoghq.com", "evil")).toBeUndefined();
    expect(hostOfPrefix("datadoghq.com", "")).toBeUndefined();
    expect(hostOfPrefix("evil.example", "api")).toBeUndefined();
    expect(hostOfPrefix("datadoghq.com", "toString")).toBeUndefined();
    expect(hostsOf("evil.example")).toEqual([]);
    expect(isSite("datad0g.com")).toBe(false);
  });
});

test("the application key goes to API hosts and to no intake", () => {
  const both = hostsOf("datadoghq.com").filter((host) => keysOf("datadoghq.com", host) === "both");
  expect(both).toEqual([
    "api.datadoghq.com",
    "app.datadoghq.com",
    "navy.oncall.datadoghq.com",
    "quality-gates.datadoghq.com",
    "intake.synthetics.datadoghq.com",
  ]);
  expect(keysOf("datadoghq.com", "http-intake.logs.datadoghq.com")).toBe("api");
  expect(keysOf("datadoghq.com", "ip-ranges.datadoghq.com")).toBe("none");
});
