/** Which proxy a tunnel takes, as curl and Go read the variables. */

import { describe, expect, test } from "vitest";
import { parsePlace, proxyFor } from "../../../action/relay/tunnel.ts";

const place = { host: "registry.npmjs.org", port: 443 };
const proxy = "http://proxy.example:3128";

describe("the proxy of a place", () => {
  test.each([
    [{ HTTPS_PROXY: proxy }, "proxy.example:3128"],
    [{ https_proxy: "proxy.example:3128" }, "proxy.example:3128"],
    [{ HTTPS_PROXY: "http://upper:1", https_proxy: "http://lower:1" }, "lower:1"],
    [{ HTTP_PROXY: proxy }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "*" }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "example.com, npmjs.org" }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: ".npmjs.org" }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "*.NPMJS.org" }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "registry.npmjs.org:443" }, undefined],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "registry.npmjs.org:8443" }, "proxy.example:3128"],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "js.org" }, "proxy.example:3128"],
    [{ HTTPS_PROXY: proxy, NO_PROXY: "" }, "proxy.example:3128"],
  ])("%j: %s", (variables, expected) => {
    expect(proxyFor(place, variables as Record<string, string>)?.host).toBe(expected);
  });
});

describe("the place a CONNECT names", () => {
  test.each([
    ["API.Datadoghq.com:443", { host: "api.datadoghq.com", port: 443 }],
    ["[::1]:8443", { host: "::1", port: 8443 }],
    ["10.0.0.1:1", { host: "10.0.0.1", port: 1 }],
    ["api.datadoghq.com", undefined],
    ["user@api.datadoghq.com:443", undefined],
    ["api.datadoghq.com:0", undefined],
    ["api.datadoghq.com:65536", undefined],
    ["a b:443", undefined],
    [":443", undefined],
  ])("%s", (text, expected) => {
    expect(parsePlace(text)).toEqual(expected);
  });
});
