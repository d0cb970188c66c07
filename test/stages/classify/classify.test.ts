/** A request means one operation to everybody who reads it, or it is refused. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildCatalogue } from "../../../server/datadog/catalogue.ts";
import { isRefusal } from "../../../server/errors.ts";
import { type ClassifiedRequest, classify } from "../../../server/stages/classify/classify.ts";

const catalogue = buildCatalogue();
const asked: ClassifiedRequest = {
  site: "datadoghq.com",
  host: "api.datadoghq.com",
  method: "GET",
  path: "/api/v1/monitor/4212",
  headers: [],
};
const answer = (change: Partial<ClassifiedRequest>) => classify(catalogue, { ...asked, ...change });
const codeOf = (change: Partial<ClassifiedRequest>) => {
  const result = answer(change);
  return isRefusal(result) ? result.code : "passed";
};
const nameOf = (change: Partial<ClassifiedRequest>) => {
  const result = answer(change);
  return isRefusal(result) ? result.message : result.name;
};

describe("refuses a path that has no single meaning", () => {
  test.each([
    ["a dot segment", "/api/v1/monitor/../dashboard"],
    ["a dot segment at the end", "/api/v1/monitor/.."],
    ["a single dot", "/api/v1/./monitor"],
    ["an encoded dot segment", "/api/v1/monitor/%2e%2e/dashboard"],
    ["a half encoded one", "/api/v1/monitor/.%2E/dashboard"],
    ["a doubly encoded one", "/api/v1/monitor/%252e%252e/dashboard"],
    ["one with an encoded slash", "/api/v1/monitor/..%2fdashboard"],
    ["one inside a parameter", "/api/v2/metrics/a%2F..%2Fb/tags"],
    ["one behind encoded backslashes", "/api/v1/monitor/1%5c..%5cdashboard"],
    ["one with parameters", "/api/v1/monitor/..;x=1/dashboard"],
    ["one with encoded parameters", "/api/v1/monitor/..%3bx/dashboard"],
    ["an empty segment", "/api/v1//monitor"],
    ["an empty segment at the beginning", "//api/v1/monitor"],
    ["two slashes at the end", "/api/v1/monitor//"],
    ["a backslash", "/api/v1\\monitor"],
    ["a NUL", "/api/v1/monitor/1\0"],
    ["an encoded NUL", "/api/v1/monitor/1%00"],
    ["a doubly encoded NUL", "/api/v1/monitor/1%2500"],
    ["a line break", "/api/v1/monitor/1\r\nX: y"],
    ["an encoded line break", "/api/v1/monitor/1%0d%0aX:%20y"],
    ["an encoded delete character", "/api/v1/monitor/1%7f"],
    ["an encoded C1 control character", "/api/v1/monitor/1%c2%85"],
    ["a space", "/api/v1/monitor/1 HTTP/1.1"],
    ["a fragment", "/api/v1/monitor/1#/x"],
    ["a query", "/api/v1/monitor/1?x"],
    ["a byte beyond ASCII", "/api/v1/monitor/\u00e9"],
    ["a per cent sign alone", "/api/v1/monitor/100%"],
    ["broken percent-encoding", "/api/v1/monitor/%zz"],
    ["half a percent-encoding", "/api/v1/monitor/%4"],
    ["percent-encoding that is not UTF-8", "/api/v1/monitor/%ff"],
    ["overlong UTF-8", "/api/v1/monitor/%c0%ae%c0%ae"],
    ["an absolute address", "http://api.datadoghq.com/api/v1/monitor"],
    ["an address without scheme", "evil.example/api/v1/monitor"],
    ["an asterisk", "*"],
    ["nothing", ""],
  ])("%s", (_, path) => {
    expect(codeOf({ path })).toBe("request_malformed");
  });
});

describe("refuses a path that somebody else reads as another operation", () => {
  test.each([
    ["an encoded letter of a literal", "GET", "/api/v1/monitor/can%5fdelete"],
    ["a doubly encoded letter of a literal", "GET", "/api/v1/monitor/can%255fdelete"],
    ["an unknown path that decodes to a known one", "DELETE", "/api/v1/%6donitor/4212"],
    ["an encoded slash between segments", "DELETE", "/api/v1/monitor%2f4212"],
    ["an encoded slash inside a parameter that is none", "DELETE", "/api/v1/dashboard/lists%2Fmanual%2F7"],
    ["a doubly encoded slash", "DELETE", "/api/v1/dashboard/lists%252Fmanual%252F7"],
    ["an encoded backslash", "DELETE", "/api/v1/dashboard/lists%5cmanual%5c7"],
    ["an encoded slash at the end", "GET", "/api/v1/monitor%2f"],
    ["parameters behind a literal", "DELETE", "/api/v1/monitor;a=b/4212"],
    ["parameters that hide a segment", "GET", "/api/v1/monitor/;x"],
    ["encoded parameters", "GET", "/api/v1/monitor/can_delete%3bx"],
  ])("%s", (_, method, path) => {
    expect(codeOf({ method, path })).toBe("request_malformed");
  });

  test("and says which", () => {
    expect(nameOf({ path: "/api/v1/monitor/can%5fdelete" })).toBe(
      "the path means GetMonitor as it stands and CheckCanDeleteMonitor decoded further: write it so that it means one thing",
    );
  });

  test.each(["4212;", "4212;x=1", "%2534212", "4212%2F", "%2F4212", "4212%5c", "%253%34212"])(
    "or as the same one on another object: monitor %s",
    (id) => {
      expect(codeOf({ method: "DELETE", path: `/api/v1/monitor/${id}` })).toBe("request_malformed");
    },
  );
});

describe("lets pass what is merely unusual", () => {
  test.each([
    ["an encoded slash inside a parameter", "GET", "/api/v2/metrics/a%2Fb/tags", { metric_name: "a/b" }],
    ["two of them", "GET", "/api/v2/metrics/https%3A%2F%2Fexample.com/tags", { metric_name: "https://example.com" }],
    ["an encoded letter of a parameter", "GET", "/api/v1/monitor/%34212", { monitor_id: "4212" }],
    ["an encoded per cent sign", "GET", "/api/v2/metrics/100%25/tags", { metric_name: "100%" }],
    ["an encoded space", "GET", "/api/v2/metrics/a%20b/tags", { metric_name: "a b" }],
    ["UTF-8", "GET", "/api/v2/metrics/caf%C3%A9/tags", { metric_name: "café" }],
    ["dots that are no segment", "GET", "/api/v2/metrics/..a.b../tags", { metric_name: "..a.b.." }],
    ["three dots", "GET", "/api/v2/metrics/.../tags", { metric_name: "..." }],
    [
      "signs that clients leave unencoded",
      "GET",
      '/api/v2/metrics/a:{b}|"c"@d,e=f!/tags',
      { metric_name: 'a:{b}|"c"@d,e=f!' },
    ],
    ["a slash at the end", "GET", "/api/v1/monitor/4212/", { monitor_id: "4212" }],
    ["names that every object has", "GET", "/api/v1/monitor/__proto__", { monitor_id: "__proto__" }],
  ])("%s", (_, method, path, params) => {
    expect(answer({ method, path })).toMatchObject({ known: true, params });
  });

  test("an unknown operation, for the policy to decide about", () => {
    expect(answer({ path: "/api/v2/brand/new%2Fthing" })).toMatchObject({
      id: "unknown",
      access: "unknown",
      known: false,
    });
  });
});

describe("refuses a host that is not the connection's", () => {
  test.each([
    "api.us3.datadoghq.com",
    "API.datadoghq.com",
    "api.datadoghq.com:443",
    "api.datadoghq.com.",
    "user@api.datadoghq.com",
    "api.datadoghq.com.evil.example",
    "evil.example",
    "169.254.169.254",
    "localhost",
    "",
  ])("%j", (host) => {
    expect(codeOf({ host })).toBe("host_not_allowed");
  });

  test("before it looks at the path, in a message of bounded length without control characters", () => {
    const message = nameOf({ host: `evil\r\n${"x".repeat(5000)}`, path: "/.." });
    expect(message).toMatch(/^"evil\\r\\nx+" is no host of datadoghq\.com$/);
    expect(message.length).toBeLessThan(160);
  });

  test("and serves the operations of each host there only", () => {
    const path = "/api/v2/cireport";
    expect(nameOf({ host: "cireport-intake.datadoghq.com", method: "POST", path })).toBe("UploadJUnitReport");
    expect(nameOf({ method: "POST", path })).toBe("unknown");
  });
});

test.each(["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])(
  "refuses %s, which asks for another method than is decided about",
  (name) => {
    expect(codeOf({ method: "POST", headers: [[name, "DELETE"]] })).toBe("request_malformed");
  },
);

describe("whatever the spelling", () => {
  const entries = catalogue.entries.filter(({ hosts }) => hosts.includes("api"));
  const value = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
  const encode = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

  test("a path with any character percent-encoded means the same or is refused", () => {
    const spelled = fc.record({
      entry: fc.constantFrom(...entries),
      filler: value,
      at: fc.nat(),
      times: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(spelled, ({ entry, filler, at, times }) => {
        const path = entry.path.replace(/\{\w+\}/g, filler);
        const index = 1 + (at % Math.max(1, path.length - 1));
        let character = path.charAt(index);
        for (let i = 0; i < times; i++) character = character.split("").map(encode).join("");
        const plain = answer({ method: entry.method, path });
        const found = answer({ method: entry.method, path: path.slice(0, index) + character + path.slice(index + 1) });
        if (isRefusal(plain) || isRefusal(found)) return true;
        // Nobody decodes three times: an unknown operation stays one.
        return found.id === plain.id || (times === 3 && !found.known);
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  test("no path makes it throw, and none with a dot segment in any coding passes", () => {
    const piece = fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%252e",
      "%2E",
      "/",
      "%2f",
      "%252f",
      "\\",
      "%5c",
      ";",
      "%3b",
      "a",
      "api",
      "v1",
      "monitor",
      "%",
      "%zz",
      "%00",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const path = `/${pieces.join("")}`;
        const result = answer({ path });
        if (isRefusal(result)) return result.code === "request_malformed";
        const read = decodeURIComponent(decodeURIComponent(path)).replaceAll("\\", "/");
        return !read.split("/").some((segment) => segment === "." || segment === "..");
      }),
      { numRuns: 5000, seed: 1 },
    );
  });
});
