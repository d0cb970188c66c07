/** Beside the bodies too a recording holds no credential, and nothing that a mask names: header fields, path, query, sentences. */

import { describe, expect, test } from "vitest";
import type { Closing, HeaderList, Opening } from "../../../server/model/receipt.ts";
import { maskClosing, maskOpening } from "../../../server/stages/mask/recording.ts";
import type { Masking } from "../../../server/stages/mask/masking.ts";
import { planFor } from "../../../server/stages/mask/plan.ts";
import { Chance, otherKinds, prefixedKinds, sampleOf } from "./samples.ts";
import { everything, here, masksOf, operation, sealingOf } from "./setting.ts";

const of = operation("GET", "/api/v1/monitor");
const masking = (masks = everything, what = of): Masking => ({
  plan: planFor(masks, what),
  plain: masks,
  sealing: sealingOf(what),
  custom: new Set(),
  undecodable: "digest",
});

const opening = (more: Partial<Opening> = {}, headers: HeaderList = []): Opening => ({
  session_id: "0197a000-0000-7000-8000-000000000001",
  operation: of.id,
  access: "read",
  method: "GET",
  host: "api.datadoghq.com",
  path: "/api/v1/monitor",
  query: "",
  decision: { effect: "allow", rules: [], reason: "", policy: "" },
  client: null,
  received_at: new Date(0),
  decided_at: new Date(0),
  request: { headers, body: null },
  ...more,
});

const closing = (more: Partial<Closing> = {}): Closing => ({
  state: "closed",
  status: 200,
  error_code: null,
  error: null,
  upstream: null,
  forwarded_at: null,
  first_byte_at: null,
  done_at: new Date(0),
  request_body: null,
  response: null,
  ...more,
});

describe("header fields", () => {
  const headers: HeaderList = [
    ["Authorization", "Bearer abc"],
    ["Cookie", "a=b"],
    ["DD-API-KEY", "abc"],
    ["X-Vault-Token", "hvs.CAESIJ1234567890abcdefgh"],
    ["X-Api-Key", "k-12"],
    ["From", "ann@example.com"],
    ["Location", "https://ann:hunter22@example.com/x?token=fasjyydbcgwwc2uc546a27681750cfe1"],
    ["Content-Type", "application/json"],
  ];

  test.for(["Content-MD5", "Digest", "Content-Digest", "Repr-Digest"])(
    "no %s, which a guess could be checked with",
    (name) => {
      const { headers: kept } = maskOpening(
        opening({}, [[name, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"]]),
        of,
        masking(masksOf()),
      ).request;
      expect(kept).toEqual([[name, "[masked]"]]);
    },
  );

  test("that are credentials by definition are hidden with masks and without", () => {
    for (const masked of [
      maskOpening(opening({}, headers), of, masking(masksOf())),
      maskOpening(opening({}, headers), of, masking()),
    ])
      expect(masked.request.headers.slice(0, 3)).toEqual([
        ["Authorization", "[masked]"],
        ["Cookie", "[masked]"],
        ["DD-API-KEY", "[masked]"],
      ]);
  });

  test("that hold something are masked where it stands, and others stay as they are", () => {
    const masked = maskOpening(opening({}, headers), of, masking());
    const values = new Map(masked.request.headers);
    expect(values.get("X-Vault-Token")).toMatch(/^dwm_[a-z-]+_[\w-]+$/);
    expect(values.get("X-Api-Key")).toMatch(/^dwm_secret-field_[\w-]+$/);
    expect(values.get("From")).toMatch(/^dwm_email_[\w-]+@masked\.invalid$/);
    expect(values.get("Location")).toMatch(
      /^https:\/\/dwm_url-password_[\w-]+@example\.com\/x\?token=dwm_secret-field_[\w-]+$/,
    );
    expect(values.get("Content-Type")).toBe("application/json");
    expect(masked.masked_values).toBe(5);
  });

  test("that held nothing under one configuration are looked at again under another", () => {
    const known = masksOf();
    const owner: HeaderList = [["X-Owner", "ann@example.com"]];
    for (const masks of [known, known])
      expect(maskOpening(opening({}, owner), of, masking(masks)).request.headers).toEqual(owner);
    expect(JSON.stringify(maskOpening(opening({}, owner), of, masking()))).not.toContain("ann@");
  });

  test("are masked by their name, whatever another of the same value was called before", () => {
    const value = "0123456789abcdef0123456789abcdef";
    const fields: HeaderList = [
      ["X-Build", value],
      ["X-Api-Key", value],
      ["X-Build", value],
    ];
    const { headers } = maskOpening(opening({}, fields), of, masking()).request;
    expect(headers.map(([, masked]) => masked === value)).toEqual([true, false, true]);
  });

  test("that hold something have another token in every session, however often they were seen", () => {
    const inSession = (session: string): string => {
      const set = { ...masking(), sealing: sealingOf(of, { ...here, session }) };
      return maskOpening(opening({}, [["From", "ann@example.com"]]), of, set).request.headers[0]?.[1] ?? "";
    };
    const [one, other] = ["0197a000-0000-7000-8000-000000000001", "0197a000-0000-7000-8000-000000000002"];
    expect(inSession(one)).toMatch(/^dwm_email_/);
    expect(new Set([one, one, other].map(inSession)).size).toBe(2);
  });

  test("of the answer as well", () => {
    const response = {
      headers: [
        ["Set-Cookie", "a"],
        ["X-Owner", "ann@example.com"],
      ] as const,
      body: null,
    };
    expect(JSON.stringify(maskClosing(closing({ response }), masking()))).not.toMatch(/ann@|"a"/);
  });
});

describe("path and query", () => {
  const at = (path: string, query = "", what = operation("GET", path)) => {
    const { path: maskedPath, query: maskedQuery } = maskOpening(
      opening({ path, query }),
      what,
      masking(everything, what),
    );
    return `${maskedPath}?${maskedQuery}`;
  };

  test("keys in a path are hidden by their place", () => {
    expect(at("/api/v1/api_key/0123456789abcdef0123456789abcdef")).toBe("/api/v1/api_key/{key}?");
  });

  test("people in a path by their look", () => {
    expect(at("/api/v1/user/ann@example.com")).toMatch(/^\/api\/v1\/user\/dwm_email_[\w-]+@masked\.invalid\?$/);
    expect(at("/api/v1/user/ann%40example.com")).toMatch(/^\/api\/v1\/user\/dwm_email_[\w-]+@masked\.invalid\?$/);
  });

  test("parameters by their name and by their look, and the others stay byte for byte", () => {
    expect(at("/api/v1/monitor", "a=1&api_key=short&x=%20y+z&to=ann%40example.com&sig=x&&=")).toMatch(
      /^\/api\/v1\/monitor\?a=1&api_key=dwm_secret-field_[\w-]+&x=%20y\+z&to=dwm_email_[\w-]+@masked\.invalid&sig=dwm_secret-field_[\w-]+&&=$/,
    );
  });
});

describe("sentences", () => {
  test("of an error and of a client are masked", () => {
    const error = "the upstream said: no user ann@example.com with AKIAIOSFODNN7EXAMPLE";
    expect(maskClosing(closing({ error }), masking()).error).toMatch(
      /no user dwm_email_[\w-]+@masked\.invalid with dwm_aws-access-key-id_[\w-]+$/,
    );
    expect(maskOpening(opening({ client: "agent/1 (ann@example.com)" }), of, masking()).client).not.toContain("ann@");
  });

  test("without masks secrets go all the same, and people stay", () => {
    const error = "ann@example.com AKIAIOSFODNN7EXAMPLE";
    expect(maskClosing(closing({ error }), masking(masksOf())).error).toMatch(/^ann@example\.com dwm_aws/);
  });
});

test("planted anywhere beside the bodies, no secret of any kind is left", () => {
  const c = new Chance(31);
  const left: string[] = [];
  for (const kind of [...prefixedKinds, ...otherKinds])
    for (let i = 0; i < 3; i++) {
      const { text, secret } = sampleOf(c, kind);
      if (text.includes("\n")) continue;
      const query = `q=${encodeURIComponent(text)}`;
      const masked = [
        maskOpening(opening({ query, client: `x ${text}` }, [["X-Note", `it is ${text}`]]), of, masking()),
        maskClosing(
          closing({ error: `failed: ${text}`, response: { headers: [["Warning", text]], body: null } }),
          masking(),
        ),
      ];
      const seen = JSON.stringify(masked);
      for (const trace of [secret, encodeURIComponent(secret)]) if (seen.includes(trace)) left.push(`${kind} ${trace}`);
    }
  expect(left).toEqual([]);
});
