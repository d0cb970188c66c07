/** dogwatch.yaml as people write it, right and wrong: every problem with its place and the fix, no secret in any of them. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { formatProblem, isConfig, loadConfig } from "../../server/config/load.ts";
import { examine } from "../../server/stages/decide/examine.ts";
import { env, fileWith, folder, good, load, problems } from "./example.ts";

/** `good` with one piece replaced. */
const but = (from: string, to: string): string => {
  if (!good.includes(from)) throw new Error(`there is no ${from}`);
  return good.replace(from, () => to);
};

describe("a configuration that is right", () => {
  test("has the documented defaults", () => {
    const config = load(good);
    expect(config).toMatchObject({
      publicUrl: "https://dogwatch.example.com",
      listen: { host: "127.0.0.1", port: 8080 },
      identity: {
        issuers: [
          {
            name: "github",
            audience: "https://dogwatch.example.com",
            kind: "github",
            events: [],
            algorithms: ["RS256"],
          },
        ],
      },
      access: { tokens: [] },
      policy: { observe: false, masks: [], rules: [{ name: "agents-may-read", phase: "request", observe: false }] },
      hold: 50_000,
      limits: { inspect: 8 * 2 ** 20, record: 64 * 2 ** 20 },
      retention: { bodies: 90 * 86_400_000, receipts: 400 * 86_400_000 },
      notices: [],
    });
    expect(config.database).toBeUndefined();
    expect(config.connections[0]?.apiKey.reveal()).toBe("api-key-value");
  });

  test("says everything the contract names", () => {
    const pem = join(folder(), "app.pem");
    writeFileSync(pem, "-----BEGIN KEY-----\nabc\n-----END KEY-----\n");
    const config = load(`${good.replace("listen", "listen")}listen: "[::1]:9000"
database: postgres://u:p@db/dogwatch
github: { appId: 12345, privateKey: "\${file:${pem}}", webhookSecret: "\${env:OPS}" }
access: { tokens: [{ name: ops, role: auditor, token: "\${env:OPS}" }] }
hold: 20s
dataHosts: "*.dd.example.com"
limits: { inspect: 1MiB, record: 2GiB }
retention: { bodies: 30d, receipts: 52w }
signIn: { github: { admins: [acme/leads] }, oidc: [{ name: okta, issuer: "https://acme.okta.com", clientId: x, clientSecret: "\${env:OPS}", roles: { auditor: [security] } }] }
keys: { mask: "\${env:OPS}", sign: "\${file:${pem}}" }
`);
    expect(config).toMatchObject({
      listen: { host: "::1", port: 9000 },
      hold: 20_000,
      dataHosts: "*.dd.example.com",
      limits: { inspect: 2 ** 20, record: 2 ** 31 },
      retention: { bodies: 30 * 86_400_000, receipts: 364 * 86_400_000 },
    });
    expect(config.database?.reveal()).toBe("postgres://u:p@db/dogwatch");
    expect(config.signIn).toMatchObject({
      github: { admins: ["acme/leads"], auditors: [] },
      oidc: [
        {
          name: "okta",
          scopes: [],
          groups: "$.groups",
          login: "$.sub",
          algorithm: "RS256",
          roles: { viewer: [], approver: [], auditor: ["security"], admin: [] },
        },
      ],
    });
    expect(JSON.stringify(config.signIn)).toContain("[secret]");
    // The App's client is not there, so nobody signs in with GitHub.
    expect(config.notices.map(({ path }) => path.join("."))).toEqual(["signIn.github"]);
  });

  test.each([
    ["", "", "github.clientId is not set"],
    [', clientId: x, clientSecret: "${env:OPS}"', "signIn: { github: false }", "signIn.github is false"],
  ])("says that nobody answers on the page where nobody signs in: %j %j", (more, signIn, why) => {
    const found = load(`${good}    - { name: asked, effect: approve, when: "true", via: [page] }
github: { appId: 1, privateKey: "\${env:OPS}", webhookSecret: "\${env:OPS}"${more} }
${signIn}
`);
    expect(found.notices.map(({ path, message }) => `${path.join(".")} ${message}`)).toEqual([
      `policy.rules.1.via accepts answers on the page only, and nobody signs in with GitHub there: ${why}`,
    ]);
  });

  test("keeps what approvals will need of a rule", () => {
    const rules = `policy:
  rules:
    - name: ask
      effect: approve
      when: "true"
      approvers: { permission: write, teams: [sre], groups: [oncall], count: 2 }
      groups: [oncall]
      via: [check, page]
      grants: [session, 30m]
      expires: 30m
`;
    expect(load(good.slice(0, good.indexOf("policy:")) + rules).policy.rules[0]).toMatchObject({
      approvers: { permission: "write", teams: ["sre"], groups: ["oncall"], count: 2 },
      via: ["check", "page"],
      grants: { session: true, longest: 1_800_000 },
      expires: 1_800_000,
    });
  });

  test("knows the issuers of GitHub Actions by their address", () => {
    const kind = (issuer: string) =>
      load(but("https://token.actions.githubusercontent.com", issuer)).identity.issuers[0]?.kind;
    expect(kind("https://token.actions.acme.ghe.com")).toBe("github");
    expect(kind("https://github.acme.example/_services/token")).toBe("github");
    expect(kind("https://token.actions.githubusercontent.com.evil.example")).toBe("oidc");
    expect(kind("https://acme.okta.com")).toBe("oidc");
  });

  test("takes its public address from a loopback address it listens on", () => {
    expect(load(good.replace("publicUrl: https://dogwatch.example.com", "listen: 127.0.0.1:9999")).publicUrl).toBe(
      "http://127.0.0.1:9999",
    );
  });
});

describe("secrets", () => {
  test("are read from files beside the configuration, without the last line break", () => {
    const directory = folder();
    mkdirSync(join(directory, "run"));
    writeFileSync(join(directory, "run", "key"), "from-a-file\n");
    const file = join(directory, "dogwatch.yaml");
    writeFileSync(file, but('"${env:DD_API_KEY}"', '"${file:run/key}"'));
    const config = loadConfig(file, env);
    expect(isConfig(config) && config.connections[0]?.apiKey.reveal()).toBe("from-a-file");
  });

  test("can stand inside a longer text", () => {
    expect(load(`${good}database: postgres://u:\${env:DD_API_KEY}@db/x\n`).database?.reveal()).toBe(
      "postgres://u:api-key-value@db/x",
    );
  });

  test("never show, whatever prints the configuration", () => {
    const config = load(`${good}database: postgres://u:p@db/dogwatch\n`);
    expect(JSON.stringify(config) + inspect(config, { depth: 9 }) + String(config.connections[0]?.apiKey)).not.toMatch(
      /api-key-value|app-key-value|postgres:/,
    );
  });

  test.for<[string, string]>([
    ['"${env:NOPE}"', "8:60 connections.0.apiKey: the environment variable NOPE is not set"],
    ['"${env:EMPTY}"', "8:60 connections.0.apiKey: the environment variable EMPTY is empty"],
    ['"${DD_API_KEY}"', "8:60 connections.0.apiKey: write ${env:DD_API_KEY} for an environment variable"],
    ['"${vault:x/y}"', "8:60 connections.0.apiKey: write ${env:NAME} or ${file:PATH}"],
    ['"${env:DD_API_KEY"', "8:60 connections.0.apiKey: ${ without }"],
    ['"${file:nope}"', "8:60 connections.0.apiKey: nope cannot be read: there is no such file"],
    ['"${file:/}"', "8:60 connections.0.apiKey: / is not a file"],
    ['"${file:/dev/zero}"', "8:60 connections.0.apiKey: /dev/zero is not a file"],
    ['" x"', "8:60 connections.0.apiKey: begins or ends with white space"],
    ['"a\\nb"', "8:60 connections.0.apiKey: must be a single line"],
    ['""', "8:60 connections.0.apiKey: is empty"],
    ["1234", "8:60 connections.0.apiKey: must be text: put it in quotes"],
  ])("%s is refused", ([written, problem]) => {
    expect(problems(but('"${env:DD_API_KEY}"', written))).toEqual([problem]);
  });

  test("do not stand in a message about the value", () => {
    const said =
      problems(but("kind: live", 'kind: "${env:DD_APP_KEY}"')).join() +
      problems(but("site: datadoghq.com", 'site: "${env:DD_APP_KEY}"')).join();
    expect(said).toContain("this is not one of live, sandbox");
    expect(said).not.toContain("app-key-value");
  });

  test("are not put into conditions", () => {
    expect(problems(but('operation.access == "read"', 'caller.team == "${env:OPS}"'))).toEqual([
      "13:13 policy.rules.0.when: ${…} is not replaced in conditions: write the value itself",
    ]);
  });

  test("what the environment holds is never read as a reference itself", () => {
    const file = fileWith(good);
    const config = loadConfig(file, { ...env, DD_API_KEY: "${file:/etc/hostname}" });
    expect(isConfig(config) && config.connections[0]?.apiKey.reveal()).toBe("${file:/etc/hostname}");
  });
});

describe("problems", () => {
  test.for<[string, string, string]>([
    ["allow: caller", "alow: caller", "6:7 identity.issuers.0.alow: unknown key; did you mean allow?"],
    ["publicUrl:", "public_url:", "1:1 public_url: unknown key; did you mean publicUrl?"],
    ["kind: live", "kind: lvie", '8:25 connections.0.kind: "lvie" is not one of live, sandbox; did you mean live?'],
    [
      "site: datadoghq.com",
      "site: us3.datadoghq.eu",
      expect.stringContaining('8:37 connections.0.site: "us3.datadoghq.eu" is not one of'),
    ],
    ["effect: allow", "effect: permit", '12:15 policy.rules.0.effect: "permit" is not one of allow, approve, deny'],
    [
      "effect: allow",
      "effect: [allow]",
      expect.stringContaining("12:15 policy.rules.0.effect: this is not one of allow, approve, deny"),
    ],
    [
      "name: github",
      "name: Git Hub",
      "4:13 identity.issuers.0.name: must be 1 to 64 of letters, digits, . _ -, beginning with a letter or digit",
    ],
    [
      "https://token.actions.githubusercontent.com",
      "http://token.example.com",
      "5:15 identity.issuers.0.issuer: must be https: (http: is accepted for loopback addresses only)",
    ],
    [
      "https://token.actions.githubusercontent.com",
      "http://127.0.0.1.nip.io",
      "5:15 identity.issuers.0.issuer: must be https: (http: is accepted for loopback addresses only)",
    ],
    [
      "https://token.actions.githubusercontent.com",
      "https://u:p@token.example.com",
      "5:15 identity.issuers.0.issuer: must not contain a user or password",
    ],
    [
      "https://token.actions.githubusercontent.com",
      "token.example.com",
      "5:15 identity.issuers.0.issuer: must be an address like https://host.example.com",
    ],
    [
      "kind: live",
      "kind: live, endpoint: http://10.0.0.1:80",
      "8:41 connections.0.endpoint: must be https: (http: is accepted for loopback addresses only), because the real keys go there",
    ],
    [
      "kind: live",
      "kind: live, endpoint: https://example.com/path",
      "8:41 connections.0.endpoint: must be scheme, host and port without a path",
    ],
    [
      'when: operation.access == "read"',
      "when: true",
      "13:13 policy.rules.0.when: must be text, and this is true or false (put it in quotes to make it text)",
    ],
    ['when: operation.access == "read"', 'when: ""', "13:13 policy.rules.0.when: is empty"],
  ])("%s → %s", ([from, to, problem]) => {
    expect(problems(but(from, to))).toContainEqual(problem);
  });

  test.for<[string, string]>([
    ["listen: 8080", "14:9 listen: must be HOST:PORT, like 127.0.0.1:8080"],
    ["listen: localhost:99999", "14:9 listen: has a port over 65535"],
    ["hold: 50", "14:7 hold: must be a duration: a whole number with ms, s, m, h, d or w, like 30m"],
    ["hold: 1.5m", "14:7 hold: must be a duration: a whole number with ms, s, m, h, d or w, like 30m"],
    [
      "limits: { inspect: 8MB8 }",
      "14:20 limits.inspect: must be a size: a whole number with B, KiB, MiB or GiB, like 8MiB",
    ],
    ["limits: { inspect: 0B }", "14:20 limits.inspect: must be between 1KiB and 4GiB"],
    ["dataHosts: dd.example.com", "14:12 dataHosts: must be a wildcard in lower case, like *.dd.example.com"],
    ["rules: []", "14:1 rules: unknown key here; rules belongs to policy"],
    ["apiKey: x", "14:1 apiKey: unknown key here; apiKey belongs to connections[]"],
    ["<<: {}", expect.stringContaining("14:1 <<: unknown key; known here are publicUrl, listen")],
    ["__proto__: {}", expect.stringContaining("14:1 __proto__: unknown key")],
    [
      "access: { tokens: [{ name: ops, role: auditor, token: short }] }",
      "14:55 access.tokens.0.token: is shorter than 8 characters: anybody could guess it; make one with openssl rand -hex 32",
    ],
    [
      "access: { tokens: [{ name: ops, role: root, token: long-enough-for-this }] }",
      '14:39 access.tokens.0.role: "root" is not one of viewer, approver, auditor, admin',
    ],
    ["signIn: { oidc: [{ name: a, clientId: x, roles: { admin: [b] } }] }", "14:18 signIn.oidc.0.issuer: is required"],
    [
      "signIn: { oidc: [{ name: github, issuer: 'https://a.example', clientId: x, roles: { admin: [b] } }] }",
      "14:26 signIn.oidc.0.name: must not be one of github, accessToken, once",
    ],
    [
      "signIn: { oidc: [{ name: a, issuer: 'http://a.example', clientId: x, roles: { admin: [b] } }] }",
      "14:37 signIn.oidc.0.issuer: must be https: (http: is accepted for loopback addresses only)",
    ],
    [
      "signIn: { oidc: [{ name: a, issuer: 'https://a.example', clientId: x, roles: {} }] }",
      "14:78 signIn.oidc.0.roles: names no group, so nobody could sign in with a: name some, like auditor: [security]",
    ],
    [
      "signIn: { oidc: [{ name: a, issuer: 'https://a.example', clientId: x, algorithm: HS256, roles: { admin: [b] } }] }",
      expect.stringContaining(
        '14:82 signIn.oidc.0.algorithm: "HS256" is refused: whoever knows the public key could sign with it',
      ),
    ],
    [
      "signIn: { github: { admins: [leads] } }",
      "14:30 signIn.github.admins.0: must be a team as its address names it, ORGANIZATION/TEAM, like acme/platform-leads",
    ],
    [
      "github: { appId: abc, privateKey: k, webhookSecret: s }",
      "14:18 github.appId: must be the number of the GitHub App",
    ],
  ])("%s is refused", ([line, problem]) => {
    expect(problems(`${good}${line}\n`)).toEqual([problem]);
  });

  test("an issuer without allow is refused, and the message shows one", () => {
    expect(problems(but('      allow: caller.repository_owner_id == "1234"\n', ""))).toEqual([
      '4:7 identity.issuers.0.allow: is required: it says who may open a session at all, like allow: caller.repository_owner_id == "1234"',
    ]);
    expect(problems(but('allow: caller.repository_owner_id == "1234"', 'allow: ""'))).toEqual([
      "6:14 identity.issuers.0.allow: is empty: it says who may open a session at all",
    ]);
    expect(problems(but('allow: caller.repository_owner_id == "1234"', "allow:"))).toHaveLength(1);
  });

  test.for(["none", "HS256", "hs512"])(
    "the algorithm %s is refused: whoever knows the public key could sign",
    (algorithm) => {
      expect(problems(but("      allow:", `      algorithms: [${algorithm}]\n      allow:`))).toEqual([
        expect.stringContaining(
          `6:20 identity.issuers.0.algorithms.0: "${algorithm}" is refused: whoever knows the public key could sign with it`,
        ),
      ]);
    },
  );

  test("names, issuers and tokens that are used twice", () => {
    const twice = good
      .replace(
        "connections:",
        '    - { name: github, issuer: "https://token.actions.githubusercontent.com", allow: "true" }\nconnections:',
      )
      .replace("policy:", "  - { name: prod, kind: live, site: datadoghq.eu, apiKey: k, appKey: a }\npolicy:")
      .concat("    - { name: agents-may-read, effect: deny }\naccess:\n  tokens:\n")
      .concat(
        "    - { name: a, role: auditor, token: the-very-same-token }\n    - { name: b, role: admin, token: the-very-same-token }\n",
      );
    expect(problems(twice)).toEqual([
      "7:15 identity.issuers.1.name: github is used twice; every name must be its own",
      "7:31 identity.issuers.1.issuer: https://token.actions.githubusercontent.com is used twice; every issuer must be its own",
      "10:13 connections.1.name: prod is used twice; every name must be its own",
      "16:15 policy.rules.1.name: agents-may-read is used twice; every name must be its own",
      "20:38 access.tokens.1.token: is the same token as that of a; every name needs its own",
    ]);
  });

  test("everything that is wrong is said at once, in the order of the file", () => {
    const wrong = good
      .replace("publicUrl", "publicURL")
      .replace("kind: live", "kind: alive")
      .replace("effect: allow", "effect: alow");
    expect(problems(wrong).map((problem) => problem.split(" ")[0])).toEqual(["1:1", "8:25", "12:15"]);
  });

  test("a gateway that others reach needs its address", () => {
    expect(problems(but("publicUrl: https://dogwatch.example.com", "listen: 0.0.0.0:8080"))).toEqual([
      "1:1 publicUrl: is required when the gateway listens on more than loopback: clients and links need its address",
    ]);
  });

  test("events belong to GitHub's issuers", () => {
    const okta = but(
      "https://token.actions.githubusercontent.com",
      "https://acme.okta.com\n      events: [workflow_run]",
    );
    expect(problems(okta)).toEqual([
      "6:15 identity.issuers.0.events: belongs to issuers of GitHub Actions; add kind: github if this is one",
    ]);
  });
});

describe("settings that nothing would obey are refused", () => {
  test("masks", () => {
    expect(problems(`${good}  masks:\n    - { name: personal-data, detect: [email] }\n`)).toEqual([]);
    expect(problems(`${good}  masks: []\n`)).toEqual([]);
    expect(problems(`${good}  masks: [{ name: a, detect: [email] }, { name: a, detect: [iban] }]\n`)).toEqual([
      "14:49 policy.masks.1.name: a is used twice; every name must be its own",
    ]);
    expect(problems(`${good}  undecodable: ignore\n`)).toEqual([
      '14:16 policy.undecodable: "ignore" is not one of digest, refuse',
    ]);
    expect(problems(`${good}  masks: [{ name: a, feilds: [x] }]\n`)).toEqual([
      "14:22 policy.masks.0.feilds: unknown key; did you mean fields?",
    ]);
  });

  test("rules on responses that would do more than deny", () => {
    expect(problems(`${good}      phase: response\n`)).toEqual([
      "12:15 policy.rules.0.effect: a rule on responses can only deny: the call was made, and nothing is left to allow",
    ]);
  });

  test("approvers on a rule that asks nobody", () => {
    expect(problems(`${good}      approvers: { teams: [sre] }\n`)).toEqual([
      "14:7 policy.rules.0.approvers: belongs to rules with effect: approve; nobody is asked by a rule that says allow",
    ]);
  });

  test("observe on an allow rule", () => {
    expect(problems(`${good}      observe: true\n`)).toEqual([
      "14:16 policy.rules.0.observe: is for deny and approve rules; an allow rule has nothing to only observe",
    ]);
  });
});

describe("notices are said and stop nothing", () => {
  const noticed = (text: string) =>
    load(text).notices.map(({ line, column, path }) => `${line}:${column} ${path.join(".")}`);

  test("observing, approvals, a weak token and an unprotected address", () => {
    expect(noticed(`${good}  observe: true\n`)).toEqual(["14:12 policy.observe"]);
    expect(noticed(good.replace("effect: allow", "effect: deny\n      observe: true"))).toEqual([
      "13:16 policy.rules.0.observe",
    ]);
    expect(noticed(good.replace("effect: allow", "effect: approve"))).toEqual(["12:15 policy.rules.0.effect"]);
    expect(noticed(`${good}access: { tokens: [{ name: ops, role: auditor, token: twelve-chars }] }\n`)).toEqual([
      "14:55 access.tokens.0.token",
    ]);
    expect(noticed(good.replace("https://dogwatch", "http://dogwatch"))).toEqual(["1:12 publicUrl"]);
  });
});

describe("YAML", () => {
  test.for<[string, string, string]>([
    [
      "a key written twice",
      `${good}publicUrl: https://other.example.com\n`,
      "14:1 the key publicUrl is written twice; keep one of them",
    ],
    ["a tab", `${good}\tlisten: x\n`, expect.stringContaining("not valid YAML:")],
    ["two documents", `${good}---\n{}\n`, expect.stringContaining("not valid YAML:")],
    ["an unknown tag", `${good}hold: !duration 5s\n`, expect.stringContaining("14:7 not valid YAML: Unresolved tag")],
    ["an unknown alias", `${good}hold: *later\n`, "14:7 the alias *later has no anchor"],
    ["nothing", "", "1:1 must be a map of keys, and this is empty"],
    ["a list", "- a\n", "1:1 must be a map of keys, and this is a list"],
    ["deep nesting", "[".repeat(20_000), expect.stringMatching(/^1:\d+ (is nested too deeply|not valid YAML)/)],
  ])("%s", ([, text, problem]) => {
    expect(problems(text)[0]).toEqual(problem);
  });

  test("aliases that multiply are refused", () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(12).fill(`*l${i}`).join(", ")}]`,
    );
    expect(problems(`l0: &l0 x\n${levels.join("\n")}\n`)).toEqual(["1:1 repeats its aliases too often"]);
  });

  test("an alias is located where it is used", () => {
    expect(problems(good.replace("name: github", "name: &n github").replace("kind: live", "kind: *n"))).toEqual([
      '8:25 connections.0.kind: "github" is not one of live, sandbox',
    ]);
  });

  test("a file over 1 MiB, a folder, and no file", () => {
    expect(problems(`${good}#${"x".repeat(2 ** 20)}`)).toEqual(["1:1 is larger than 1 MiB"]);
    const directory = folder();
    expect(loadConfig(directory, env)).toMatchObject([{ line: 1, message: "cannot be read: it is a directory" }]);
    expect(loadConfig(join(directory, "none.yaml"), env)).toMatchObject([
      { message: "cannot be read: there is no such file" },
    ]);
  });

  test("no message quotes the file, which may hold a secret", () => {
    const file = fileWith(`${good}database: postgres://u:hunter2@db: x: y\n`);
    const loaded = loadConfig(file, env);
    expect(isConfig(loaded) ? "" : loaded.map(formatProblem).join()).toMatch(/not valid YAML/);
    expect(JSON.stringify(loaded)).not.toContain("hunter2");
  });
});

describe("conditions are compiled with the rest", () => {
  const complaints = (text: string) => problems(text, examine);

  test("a typo is found at its own column, in every way YAML can write it", () => {
    const message = "policy.rules.0.when: unknown name operation.acess; did you mean access?";
    const when = 'operation.acess == "read"';
    expect(complaints(but('operation.access == "read"', when))).toEqual([`13:23 ${message}`]);
    expect(complaints(but('operation.access == "read"', `'${when}'`))).toEqual([`13:24 ${message}`]);
    expect(complaints(but('operation.access == "read"', `|\n        operation.known &&\n        ${when}`))).toEqual([
      `15:19 ${message}`,
    ]);
    expect(complaints(but('operation.access == "read"', `>-\n        operation.known &&\n        ${when}`))[0]).toMatch(
      /^1[345]:\d+ policy/,
    );
    expect(complaints(but('operation.access == "read"', `"operation.acess == \\"read\\""`))[0]).toMatch(
      /^13:13 policy/,
    );
  });

  test("allow of issuers and connections, and names that only this file knows", () => {
    const text = good
      .replace("caller.repository_owner_id", "calller.repository_owner_id")
      .replace("kind: live", "kind: live, allow: 'caller.issuer_name == \"gihub\"'")
      .concat('    - { name: b, effect: deny, when: connection.name == "pord" }\n');
    expect(complaints(text)).toEqual([
      "6:14 identity.issuers.0.allow: unknown name calller; did you mean caller?",
      '8:61 connections.0.allow: caller.issuer_name is never "gihub"; did you mean "github"?',
      '14:57 policy.rules.1.when: connection.name is never "pord"; did you mean "prod"?',
    ]);
  });

  test("what is right passes", () => {
    expect(complaints(good)).toEqual([]);
  });
});

test("the file's folder, not the working directory, is where its secrets are", () => {
  const file = fileWith(but('"${env:DD_API_KEY}"', '"${file:key}"'));
  writeFileSync(join(dirname(file), "key"), "k");
  expect(isConfig(loadConfig(file, env))).toBe(true);
});
