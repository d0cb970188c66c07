/** What GitHub says of who may read is remembered for a minute, and what it does not say is a no for five seconds. */

import { expect, test } from "vitest";
import { AskedRepositoryAccess } from "../../server/journeys/repositoryAccess.ts";
import type { Person } from "../../server/model/person.ts";
import { quietLog } from "../standins/database.ts";

const person = { provider: "github", login: "octocat", account_id: 7 } as Person;
const of = { repository: "acme/app", repository_id: "42" };

test.each([
  ["yes", 59_999, true],
  ["no", 59_999, false],
  ["nothing", 4_999, false],
] as const)("%s", async (says, remembered, may) => {
  let now = 0;
  let asked = 0;
  const access = new AskedRepositoryAccess({
    log: quietLog,
    monotonic: () => now,
    github: {
      account: async () => ({ id: 7, login: "octocat", type: "User" }),
      access: async () => {
        asked += 1;
        if (says === "nothing") throw new Error("502");
        return { permission: says === "yes" ? "read" : "none" } as never;
      },
    },
  });
  expect(await access.mayReadLately(person, of)).toBe(may);
  now = remembered;
  expect(await access.mayReadLately(person, of)).toBe(may);
  expect(asked).toBe(1);
  now += 1;
  await access.mayReadLately(person, of);
  expect(asked).toBe(2);
  await access.mayRead(person, of);
  expect(asked).toBe(3);
  expect(await access.mayWrite(person, of)).toBe(false);
});
