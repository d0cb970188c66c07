/** What GitHub never shows and never tells keeps nothing else from being shown and heard. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { PressPoll } from "../../../server/journeys/approval/poll/presses.ts";
import type { PollParts } from "../../../server/journeys/approval/poll/parts.ts";
import { Showing } from "../../../server/journeys/approval/show.ts";
import type { Outline } from "../../../server/model/approval.ts";
import { type Delivery, type GitHub, GitHubFailure, type RepositoryRef } from "../../../server/model/github.ts";
import { openStore, type Store } from "../../../server/store/database.ts";
import { type FreshDatabase, freshDatabase, quietLog } from "../../standins/database.ts";
import { question } from "../../store/questions.ts";
import { openSession } from "../../store/specimens.ts";

let database: FreshDatabase;
let store: Store;

beforeEach(async () => {
  database = await freshDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, clock: () => new Date() });
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

const asked = async (session_id: string, repository_id: string): Promise<string> => {
  const fresh = question(session_id, { via: ["comment", "page"] });
  const { approval } = await store.approvals.ask({
    ...fresh,
    binding: { ...fresh.binding, repository_id },
    run: {
      repository: `acme/${repository_id}`,
      repository_id,
      run_id: "9001",
      run_attempt: "1",
      pull: { number: 7, head_sha: "a".repeat(40), url: "https://github.com/acme/app/pull/7" },
      own_people: [],
      head_sha: "a".repeat(40),
    },
  });
  return approval.id;
};

const suspended = "13";

/** Of one repository it refuses everything: the App was uninstalled there. */
const github = {
  changedFiles: async ({ repository_id }: RepositoryRef) => {
    if (repository_id === suspended) throw new GitHubFailure("refused", "the App is not installed there");
    return [];
  },
  run: async () => null,
  createComment: async () => ({ kind: "comment", url: "https://github.com/acme/app/pull/7#1", id: 1, number: 7 }),
} as unknown as GitHub;

test("a hundred questions that GitHub never takes keep no later one from being shown, and nothing of them is remembered once they are over", async () => {
  const { id } = await openSession(store.sessions);
  const refused: string[] = [];
  for (let n = 0; n < 110; n++) refused.push(await asked(id, suspended));
  // Another gateway asked it, and is gone.
  const good = await asked(id, "42");
  const showing = new Showing({
    store: store.approvals,
    publicUrl: "https://dogwatch.example.com",
    issues: false,
    audit: () => undefined,
    log: quietLog,
    now: () => new Date(),
    github,
    holder: "0199f0a0-0000-7000-8000-00000000000a",
    seals: store.seals,
  });
  showing.start();
  await expect
    .poll(async () => (await store.approvals.get(good))?.where.map(({ kind }) => kind))
    .toEqual(["comment", "page"]);
  await expect.poll(() => showing.failing).toBe(refused.length);
  // Another gateway shows them, or they ended a day ago.
  await database.query("UPDATE approvals SET told = state");
  await expect.poll(() => showing.failing).toBe(0);
  await showing.stop();
});

test("a delivery that GitHub never hands out keeps no later press from being heard, and is asked for again", async () => {
  const at = new Date();
  const listed: Delivery[] = ["3", "2", "1"].map((id) => ({
    id,
    guid: id,
    event: "check_run",
    action: "requested_action",
    delivered_at: at,
  }));
  const [told, since]: [string[], Date[]] = [[], []];
  let broken: GitHubFailure | null = new GitHubFailure("unreachable", "GitHub answered 500");
  const poll = new PressPoll({
    now: () => at,
    log: quietLog,
    github: {
      deliveries: async (from: Date) => {
        since.push(from);
        return listed;
      },
      delivery: async (id: string) => {
        if (id === "1" && broken !== null) throw broken;
        return { kind: "button", press: { identifier: id } };
      },
    },
    hear: async ({ press }: { press: { identifier: string } }) => {
      told.push(press.identifier);
      return "done";
    },
  } as unknown as PollParts);
  const watched = [{ ...question("0199f0a0-0000-7000-8000-000000000001"), state: "pending", where: [], asked_at: at }];
  const round = () => poll.poll(watched as unknown as Outline[]);
  await round();
  await round();
  expect(told).toEqual(["2", "3"]);
  // What was not heard is in the list that is read next.
  expect(since[1]).toEqual(since[0]);
  broken = new GitHubFailure("limited", "the limit is reached", new Date(at.getTime() + 60_000));
  await expect(round()).rejects.toBe(broken);
  broken = null;
  await round();
  expect(told).toEqual(["2", "3", "1"]);
});
