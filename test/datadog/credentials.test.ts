/** The caller's tokens leave a request whole, and the connection's keys go only where they belong. */

import { describe, expect, test } from "vitest";
import { buildCatalogue, lookUp } from "../../server/datadog/catalogue.ts";
import { keyedPathParameters, maskPath, putCredentials, takeTokens as take } from "../../server/datadog/credentials.ts";
import { GatewayError } from "../../server/errors.ts";
import { type Connection, Secret } from "../../server/model/connection.ts";
import type { HeaderList } from "../../server/model/receipt.ts";

const token = "dws_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const connection: Connection = {
  name: "prod",
  kind: "live",
  site: "datadoghq.com",
  apiKey: new Secret("real-api-key"),
  appKey: new Secret("real-app-key"),
};

const takeTokens = (headers: HeaderList, target: string) => {
  const [path = "", query = ""] = target.split("?");
  return take({ headers, path, query });
};

describe("taking tokens", () => {
  test.each([
    ["Authorization: Bearer", [["Authorization", `Bearer ${token}`]], "/api/v1/validate"],
    ["authorization in any case", [["aUTHORIZATION", `bEARER   ${token} `]], "/api/v1/validate"],
    ["DD-API-KEY", [["DD-API-KEY", token]], "/api/v1/validate"],
    ["dd-application-key", [["dd-application-key", token]], "/api/v1/validate"],
    ["DD_API_KEY", [["DD_API_KEY", token]], "/api/v1/validate"],
    ["DD_APPLICATION_KEY", [["DD_APPLICATION_KEY", token]], "/api/v1/validate"],
    ["?api_key", [], `/api/v1/validate?api_key=${token}`],
    ["?application_key", [], `/api/v1/validate?application_key=${token}`],
    ["?dd-api-key", [], `/api/v1/validate?dd-api-key=${token}`],
    ["an encoded name", [], `/api/v1/validate?api%5fkey=${token}`],
    ["an encoded value", [], `/api/v1/validate?api_key=dws%5F${token.slice(4)}`],
    ["an upper-case name", [], `/api/v1/validate?API_KEY=${token}`],
  ] as const)("finds one in %s, and leaves nothing of it", (_, headers, target) => {
    const presented = takeTokens(headers, target);
    expect(presented).toEqual({ tokens: [token], headers: [], path: "/api/v1/validate", query: "" });
  });

  test.each(["", "/"])("finds one in /v1/input/{key}%s and marks its place", (end) => {
    const presented = takeTokens([], `/v1/input/${token}${end}?ddsource=ci`);
    expect(presented).toEqual({
      tokens: [token],
      headers: [],
      path: `/v1/input/{api_key}${end}`,
      query: "ddsource=ci",
    });
  });

  test("counts one token in many slots once, and two tokens as two", () => {
    const both = [["DD-API-KEY", token] as const, ["DD-APPLICATION-KEY", token] as const];
    expect(takeTokens(both, `/x?api_key=${token}`).tokens).toEqual([token]);
    expect(takeTokens([...both, ["Authorization", "Bearer other"]], "/x").tokens).toEqual([token, "other"]);
    expect(
      takeTokens(
        [
          ["DD-API-KEY", token],
          ["DD-API-KEY", "other"],
        ],
        "/x",
      ).tokens,
    ).toEqual([token, "other"]);
    expect(takeTokens([], `/x?api_key=${token}&api_key=other`).tokens).toEqual([token, "other"]);
  });

  test("strips an empty slot without counting it", () => {
    const presented = takeTokens(
      [
        ["DD-API-KEY", ""],
        ["DD-APPLICATION-KEY", " "],
        ["Authorization", "Bearer "],
      ],
      "/x?api_key=&application_key",
    );
    expect(presented).toEqual({ tokens: [], headers: [], path: "/x", query: "" });
  });

  test("drops an Authorization of another scheme, which is no token", () => {
    expect(takeTokens([["Authorization", "Basic c2VjcmV0"]], "/x")).toEqual({
      tokens: [],
      headers: [],
      path: "/x",
      query: "",
    });
  });

  test("keeps every other byte in its order", () => {
    const headers = [
      ["Host", "gateway"],
      ["X-B", "1"],
      ["DD-API-KEY", token],
      ["x-b", "  2"],
      ["Content-Encoding", "zstd1"],
    ] as const;
    const query = `b=2&a=1&&x&=&a=%zz+%20&api_key=${token}&api_keys=3&my_api_key=4&b=`;
    const presented = takeTokens(headers, `/api/v1/a%2Fb?${query}`);
    expect(presented.headers).toEqual([headers[0], headers[1], headers[3], headers[4]]);
    expect(presented.path).toBe("/api/v1/a%2Fb");
    expect(presented.query).toBe("b=2&a=1&&x&=&a=%zz+%20&api_keys=3&my_api_key=4&b=");
  });

  test("takes no other path for the key's place", () => {
    for (const path of ["/v1/input", "/v1/input/", "/v1/input/a/b", "/x/v1/input/a", "/api/v2/logs/a"]) {
      expect(takeTokens([], path)).toEqual({ tokens: [], headers: [], path, query: "" });
    }
  });
});

describe("putting credentials in", () => {
  const put = (host: string, target: string) => putCredentials(connection, host, takeTokens([["X-Own", "1"]], target));

  test("gives both keys to an API host, after the caller's headers", () => {
    expect(put("api.datadoghq.com", "/api/v1/monitor?b=2&a=1")).toEqual({
      headers: [
        ["X-Own", "1"],
        ["DD-API-KEY", "real-api-key"],
        ["DD-APPLICATION-KEY", "real-app-key"],
      ],
      path: "/api/v1/monitor",
      query: "b=2&a=1",
    });
  });

  test.each([
    "http-intake.logs.datadoghq.com",
    "cireport-intake.datadoghq.com",
    "browser-intake-datadoghq.com",
    "event-management-intake.datadoghq.com",
  ])("gives the API key alone to %s", (host) => {
    expect(put(host, "/api/v2/x").headers).toEqual([
      ["X-Own", "1"],
      ["DD-API-KEY", "real-api-key"],
    ]);
  });

  test("gives nothing to a public document", () => {
    expect(put("ip-ranges.datadoghq.com", "/").headers).toEqual([["X-Own", "1"]]);
  });

  test.each(["api.us3.datadoghq.com", "evil.example", "api.datadoghq.com.evil.example", "API.datadoghq.com"])(
    "throws for %s, and says no key",
    (host) => {
      expect(() => put(host, "/api/v1/monitor")).toThrow(GatewayError);
      expect(() => put(host, "/api/v1/monitor")).toThrow(/^(?!.*real-a).*no host of datadoghq\.com/);
    },
  );

  test.each(["", "/"])("puts the API key where the token was in /v1/input/{key}%s", (end) => {
    const withOddKey = { ...connection, apiKey: new Secret("k/$&y") };
    const request = putCredentials(
      withOddKey,
      "http-intake.logs.datadoghq.com",
      takeTokens([], `/v1/input/${token}${end}`),
    );
    expect(request).toEqual({ headers: [], path: `/v1/input/k%2F%24%26y${end}`, query: "" });
  });

  test("never fills a placeholder that the caller wrote elsewhere", () => {
    for (const path of ["/api/v1/monitor/v1/input/{api_key}", "/x/{api_key}", "/v1/input/{api_key}/x"]) {
      expect(put("api.datadoghq.com", path).path).toBe(path);
    }
    // In its own place the placeholder is a token like any other: one that no session has.
    expect(takeTokens([], "/v1/input/{api_key}").tokens).toEqual(["{api_key}"]);
    expect(takeTokens([], "/v1/input/%7Bapi_key%7D").tokens).toEqual(["{api_key}"]);
  });
});

describe("the path of a recording", () => {
  const catalogue = buildCatalogue();
  const mask = (method: string, path: string) => maskPath(lookUp(catalogue, "api", { method, path }), path);

  test.each([
    ["GET", "/api/v1/api_key/0123456789abcdef", "/api/v1/api_key/{key}"],
    ["DELETE", "/api/v1/application_key/0123%61bcdef/", "/api/v1/application_key/{key}/"],
    ["POST", "/api/v1/dashboard/public/fasfs-1/invitation", "/api/v1/dashboard/public/{token}/invitation"],
    ["PATCH", "/api/v2/dashboard/abc/shared/secure-embed/s3cr3t", "/api/v2/dashboard/abc/shared/secure-embed/{token}"],
    ["GET", "/api/v1/api_key/api_key", "/api/v1/api_key/{key}"],
    ["GET", "/api/v1/monitor/4212", "/api/v1/monitor/4212"],
    ["GET", "/api/v2/api_keys/an-id-is-no-key", "/api/v2/api_keys/an-id-is-no-key"],
    ["GET", "/nobody/knows", "/nobody/knows"],
    ["GET", "/api/v1/api_key/s3cr3t/extra", "/api/v1/api_key/{key}/extra"],
    ["GET", "//api/v1/application_key//s3cr3t;x", "//api/v1/application_key//{key}"],
    ["PATCH", "/api/v1/api_key%2Fs3cr3t", "/api/v1/api_key%2F{key}"],
    ["GET", "/api/v9/dashboard/public/s3cr3t", "/api/v9/dashboard/public/{key}"],
  ])("%s %s is %s", (method, path, recorded) => {
    expect(mask(method, path)).toBe(recorded);
  });

  test("is masked for operations that exist and have that parameter", () => {
    const known = new Map(catalogue.entries.map(({ id, path }) => [id, path]));
    const wrong = [...keyedPathParameters].filter(([id, parameter]) => !known.get(id)?.includes(`/{${parameter}}`));
    expect(wrong).toEqual([]);
  });
});
