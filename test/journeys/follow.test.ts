/** How long a stream of events lasts: as long as whoever listens can be believed to be the one who may. */

import { expect, test } from "vitest";
import type { FollowParts } from "../../server/journeys/follow.ts";
import { followSession } from "../../server/journeys/follow.ts";
import type { Reader } from "../../server/journeys/history.ts";
import type { Person } from "../../server/model/person.ts";

const id = "0199c3a1-5f00-7000-8000-000000000001";
const octocat: Person = {
  name: "github:octocat",
  provider: "github",
  login: "octocat",
  account_id: 7,
  groups: [],
  role: "approver",
};
const session = { id, caller: { issuer: "i", subject: "s", claims: {} } };

/** A session in which nothing happens; every look takes a second. */
const listenAs = async (
  reader: Reader,
  sees: () => boolean,
): Promise<{ readonly seconds: number; refused: boolean }> => {
  let seconds = 0;
  const parts = {
    sessions: { get: async () => session },
    visible: { sees: async () => sees() },
    auditFirst: async () => undefined,
    following: {
      isOver: async () => false,
      after: async () => [],
      ended: async () => [],
      wait: async () => {
        seconds += 1;
      },
    },
    monotonic: () => seconds * 1_000,
  } as unknown as FollowParts;
  const found = await followSession(parts, reader, {
    session_id: id,
    lastEventId: null,
    signal: new AbortController().signal,
  });
  if ("code" in found) return { seconds, refused: true };
  for await (const { kind } of found) expect(kind).toBe("silence");
  return { seconds, refused: false };
};

test("a person is looked at again every minute: who signed out or lost the repository is told no more", async () => {
  const reader: Reader = { kind: "person", person: octocat };
  expect(await listenAs(reader, () => true)).toEqual({ seconds: 60, refused: false });
  expect(await listenAs(reader, () => false)).toEqual({ seconds: 0, refused: true });
});

test("the holder of a token that sees everything shows it again after a quarter of an hour", async () => {
  const reader: Reader = { kind: "access", name: "ops", role: "auditor" };
  expect(await listenAs(reader, () => false)).toEqual({ seconds: 900, refused: false });
});
