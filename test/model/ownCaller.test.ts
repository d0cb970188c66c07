/** Sessions that the gateway opens itself: nobody else's token makes one, and whoever started it is known by every name. */

import { expect, test } from "vitest";
import {
  aboutOf,
  homeOf,
  originOf,
  ownCaller,
  ownIssuer,
  purposeOf,
  starterNames,
} from "../../server/model/ownCaller.ts";

const job = {
  issuer: "https://token.actions.githubusercontent.com",
  issuer_name: "github",
  subject: "repo:acme/app:ref:refs/heads/main",
  groups: ["leads"],
  claims: { repository_owner_id: "1234", repository_id: "7", purpose: "undo", undo_of: "0199", issuer: ownIssuer },
};
const of = { id: "0199c3a1-5f00-7000-8000-000000000001", caller: job };
const own = ownCaller({ subject: "github:mona", groups: [], purpose: "undo", of });

test("claims of an identity token make no session of the gateway's own", () => {
  const claims = { ...job.claims, origin: { issuer: "https://evil.example", claims: { repository_id: "1" } } };
  for (const caller of [job, { ...job, claims }, { ...job, issuer: `${ownIssuer} `, claims }]) {
    expect([purposeOf(caller), aboutOf(caller), originOf(caller)]).toEqual([null, null, null]);
    expect(homeOf(caller)).toBe(caller);
  }
});

test("nothing of the job's is among the claims of whoever undoes it, also not of one that is undone itself", () => {
  expect(Object.keys(own.claims).toSorted()).toEqual(["origin", "purpose", "undo_of"]);
  const again = ownCaller({ subject: "github:ann", groups: [], purpose: "replay", of: { id: of.id, caller: own } });
  expect(originOf(again)).toEqual(job);
  expect(again.groups).toEqual([]);
});

test.each([
  ["github:mona", ["mona"]],
  ["okta:mona", ["mona"]],
  ["okta:mona@example.com", ["mona@example.com", "mona"]],
  ["okta:a:b", ["a:b"]],
  ["okta:@x", ["@x"]],
  ["accessToken:mona", []],
  ["repo", []],
])("whoever started it as %s is told apart on GitHub as %j", (subject, names) => {
  expect(starterNames({ subject })).toEqual(names);
});
