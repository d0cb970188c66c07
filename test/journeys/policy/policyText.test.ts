/** Rules written as text that people edit: read again, they are the same rules, to the digest. */

import { describe, expect, test } from "vitest";
import { isConfig, parsePolicy } from "../../../server/config/load.ts";
import { writePolicy } from "../../../server/journeys/policy/policyText.ts";
import { canonicalSource } from "../../../server/stages/decide/policy.ts";

const rest = {
  publicUrl: "https://dogwatch.example.com",
  identity: { issuers: [{ name: "github", issuer: "https://issuer.example.com", allow: "true" }] },
  connections: [{ name: "prod", kind: "live", site: "datadoghq.com", apiKey: "a", appKey: "b" }],
};

const sourceOf = (text: string): string => {
  const config = parsePolicy(text, rest, () => []);
  if (!isConfig(config)) throw new Error(JSON.stringify(config));
  return canonicalSource(config.policy);
};

const again = (source: string): string => writePolicy(JSON.parse(source) as Parameters<typeof writePolicy>[0]);

describe("the same rules come again", () => {
  test.each([
    "policy: {}\n",
    "policy: { observe: true, rules: [{ name: a, effect: allow }] }\n",
    "policy: { rules: [{ name: a, effect: allow, operations: [read, MonitorsApi, DeleteMonitor, v1.MonitorsApi.*, { api: DashboardsApi, access: write }, { name: [a, b] }, { name: read }] }] }\n",
    "policy: { rules: [{ name: a, effect: allow, callers: { repository: acme/*, ref: refs/heads/main }, limit: 20/hour }] }\n",
    "policy: { rules: [{ name: a, effect: allow, callers: [{ repository: acme/* }, { actor: [x, y] }], limit: 3 per session }] }\n",
    "policy: { rules: [{ name: a, effect: allow, during: { days: mon-fri, hours: 09:00-24:00, zone: Europe/Berlin }, outside: [{ from: 2026-12-20, until: 2027-01-05T08:00 }] }] }\n",
    "policy: { rules: [{ name: a, effect: approve, approvers: { permission: admin, teams: [sre], count: 2, self: true }, via: [check, page], grants: [session, 30m], expires: 90s }] }\n",
    "policy: { rules: [{ name: a, effect: approve, grants: true, groups: [ops], expires: 1500ms }] }\n",
    "policy: { rules: [{ name: a, effect: approve, grants: false, observe: true }] }\n",
    "policy: { rules: [{ name: a, effect: deny, phase: response, when: response.status == 200 }] }\n",
    `policy: { rules: [{ name: "yes", effect: deny, when: "request.path == \\"a: b # c\\" || caller.subject == 'x\\ty'" }] }\n`,
    'policy:\n  rules:\n    - name: "0.1"\n      effect: deny\n      when: |\n        caller.subject == "a"\n        && operation.access == "read"\n',
  ])("%s", (text) => {
    const source = sourceOf(text);
    expect(sourceOf(again(source))).toBe(source);
  });
});

test("as people write it", () => {
  const text = `policy:
  rules:
    - name: checkout-deploys
      effect: allow
      callers:
        repository:
          - acme/checkout-*
      operations:
        - CreateMonitor
        - read
      when: '"team:checkout" in request.body.tags'
      during:
        - days:
            - mon
            - tue
          hours: 09:00-17:00
          zone: Europe/Berlin
      limit: 20/hour
`;
  expect(again(sourceOf(text))).toBe(text);
});
