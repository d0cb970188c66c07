/** The gateway is killed at every step of an approval, and started again: nothing is sent twice or unapproved, nobody is asked twice, no answer is lost. */

import { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ApprovalJson, TokenAnswer } from "../../../server/contract.ts";
import { type GatewayProcess, startGatewayProcess } from "../../standins/gatewayProcess.ts";
import { deleteMonitor, deletesOf, type Reviewed, startReviewed } from "../../standins/reviewed.ts";
import { visit } from "../../standins/world.ts";

let scene: Reviewed;
let database: Client;
let gateway: GatewayProcess;
/** While it is there, requests of this method to Datadog get no answer. */
let withheld: string | null = null;
let monitor = 0;

beforeAll(async () => {
  scene = await startReviewed(
    async ({ method, gone }) => {
      if (method === withheld) await new Promise((resolve) => gone.addEventListener("abort", resolve));
      return {
        status: 200,
        headers: [["content-type", "application/json"]],
        body: method === "GET" ? '{"id":1,"name":"Checkout latency"}' : '{"deleted_monitor_id":1}',
      };
    },
    { more: "hold: 10m" },
  );
  database = new Client({ connectionString: scene.database.connectionString });
  await database.connect();
});

afterEach(async () => {
  withheld = null;
  scene.github.faults.clear();
  await gateway?.kill("SIGKILL");
});

afterAll(async () => {
  await database?.end();
  await scene?.close();
});

const start = async (): Promise<void> => {
  gateway = await startGatewayProcess(scene.file);
  scene.deliverTo(gateway.url);
};

const restart = async (): Promise<void> => {
  await gateway.kill("SIGKILL");
  await start();
};

/** A job of its own that wants one monitor deleted, again and again until it has an answer. */
const newJob = async () => {
  const opened = await scene.openSession(gateway.url);
  const id = (monitor += 1);
  const comments = scene.github.comments.in(scene.repository).length;
  const checks = scene.github.checks.in(scene.repository).length;
  return {
    opened,
    monitor: id,
    /** Null when the connection broke. */
    send: () => deleteMonitor(gateway.url, opened, id).catch(() => null),
    sentToDatadog: () => deletesOf(scene, id),
    questions: () =>
      scene.github.comments
        .in(scene.repository)
        .slice(comments)
        .filter(({ body }) => body.startsWith("<!-- dogwatch:approval:")),
    checks: () => scene.github.checks.in(scene.repository).slice(checks),
  };
};

const asksOf = async ({ session_id }: TokenAnswer): Promise<readonly ApprovalJson[]> =>
  (await scene.approvals(gateway.url)).filter((approval) => approval.session_id === session_id);

const shown = ({ session_id }: TokenAnswer): Promise<ApprovalJson> => scene.asked(gateway.url, session_id);

const stateIs = async (opened: TokenAnswer, state: ApprovalJson["state"]): Promise<void> => {
  await expect.poll(async () => (await asksOf(opened))[0]?.state, { timeout: 60_000 }).toBe(state);
};

const approve = (job: Awaited<ReturnType<typeof newJob>>, { code }: ApprovalJson): void => {
  const question = job.questions().at(-1);
  if (question?.kind !== "review_comment") throw new Error("the question is no review comment");
  scene.github.as("mona").reply(question, `/approve ${code}`);
};

const askedFor = async (operation: string, before: number): Promise<void> => {
  const seen = (): number => scene.github.requests.filter((request) => request.operation === operation).length;
  await expect.poll(seen, { timeout: 30_000 }).toBeGreaterThan(before);
};

const countOf = (operation: string): number =>
  scene.github.requests.filter((request) => request.operation === operation).length;

const endsWell = async (job: Awaited<ReturnType<typeof newJob>>): Promise<void> => {
  const sent = job.send();
  const asked = await shown(job.opened);
  if (asked.state === "pending") approve(job, asked);
  expect((await sent)?.status).toBe(200);
  expect(job.sentToDatadog()).toBe(1);
  expect(await asksOf(job.opened)).toHaveLength(1);
  expect(job.questions()).toHaveLength(1);
  expect(job.checks().length).toBeLessThanOrEqual(1);
};

const limits = { timeout: 120_000 };

test("before it asked anybody: nobody was asked, and the request asks when it is sent again", limits, async () => {
  await start();
  const job = await newJob();
  withheld = "GET";
  const before = scene.upstream.requests.length;
  const sent = job.send();
  await scene.upstream.received(before + 1);
  await restart();
  withheld = null;
  expect(await sent).toBeNull();
  expect(await asksOf(job.opened)).toEqual([]);
  await endsWell(job);
});

test.for([
  ["pulls/create-review-comment", "the comment"],
  ["checks/create", "the check run"],
] as const)("while it asked, and %s was on its way: it is not written twice", limits, async ([operation]) => {
  await start();
  const job = await newJob();
  const released = Promise.withResolvers<void>();
  onTestFinished(() => released.resolve());
  scene.github.faults.next(operation, { kind: "late", until: released.promise });
  const sent = job.send();
  const made = operation === "checks/create" ? job.checks : job.questions;
  await expect.poll(() => made().length, { timeout: 30_000 }).toBe(1);
  await restart();
  released.resolve();
  expect(await sent).toBeNull();
  await endsWell(job);
});

test("after asking: an answer that is given while it is down counts", limits, async () => {
  await start();
  const job = await newJob();
  const sent = job.send();
  const asked = await shown(job.opened);
  await gateway.kill("SIGKILL");
  expect(await sent).toBeNull();
  approve(job, asked);
  await scene.github.deliveries.settled();
  await start();
  await stateIs(job.opened, "approved");
  expect(job.sentToDatadog()).toBe(0);
  await endsWell(job);
});

test("while it looks at an answer: the answer counts", limits, async () => {
  await start();
  const job = await newJob();
  const sent = job.send();
  const asked = await shown(job.opened);
  const before = countOf("pulls/get-review-comment");
  scene.github.faults.next("pulls/get-review-comment", { kind: "silent" });
  approve(job, asked);
  await askedFor("pulls/get-review-comment", before);
  await restart();
  expect(await sent).toBeNull();
  await stateIs(job.opened, "approved");
  await endsWell(job);
});

test("after the answer: it lets the request pass once it is sent again", limits, async () => {
  await start();
  const job = await newJob();
  const gone = new AbortController();
  const left = fetch(`${gateway.url}/api/v1/monitor/${job.monitor}`, {
    method: "DELETE",
    headers: { "dd-api-key": job.opened.access_token },
    signal: gone.signal,
  }).catch(() => null);
  const asked = await shown(job.opened);
  gone.abort();
  await left;
  approve(job, asked);
  await stateIs(job.opened, "approved");
  await restart();
  expect(job.sentToDatadog()).toBe(0);
  await endsWell(job);
});

test("after it was used, before it was sent: it is never sent, and the next request asks anew", limits, async () => {
  await start();
  const job = await newJob();
  await slowDepartures("CREATE");
  const sent = job.send();
  approve(job, await shown(job.opened));
  await expect.poll(committing, { timeout: 30_000, interval: 20 }).toBe(true);
  await gateway.kill("SIGKILL");
  expect(await sent).toBeNull();
  await expect.poll(() => stateIn(job.opened), { timeout: 30_000 }).toBe("consumed");
  await slowDepartures("DROP");
  await start();
  await indeterminate(job.opened);
  expect(job.sentToDatadog()).toBe(0);
  await asksAnew(job);
});

test("after it was sent: it is never sent again, and the next request asks anew", limits, async () => {
  await start();
  const job = await newJob();
  withheld = "DELETE";
  const sent = job.send();
  approve(job, await shown(job.opened));
  await expect.poll(job.sentToDatadog, { timeout: 30_000 }).toBe(1);
  await restart();
  withheld = null;
  expect(await sent).toBeNull();
  await indeterminate(job.opened);
  expect(job.sentToDatadog()).toBe(1);
  await asksAnew(job);
});

const indeterminate = async ({ session_id }: TokenAnswer): Promise<void> => {
  const states = async (): Promise<readonly string[]> =>
    (await visit(gateway.url, scene.issuer).calls(session_id))
      .filter(({ method }) => method === "DELETE")
      .map(({ state }) => state);
  await expect.poll(states, { timeout: 60_000 }).toEqual(["indeterminate"]);
};

/** The approval that was used is over: a person is asked again before anything more is sent. */
const asksAnew = async (job: Awaited<ReturnType<typeof newJob>>): Promise<void> => {
  const already = job.sentToDatadog();
  const sent = job.send();
  await expect.poll(async () => (await asksOf(job.opened)).length, { timeout: 30_000 }).toBe(2);
  const asked = await shown(job.opened);
  expect(asked.state).toBe("pending");
  expect(job.sentToDatadog()).toBe(already);
  await expect.poll(() => job.questions().length, { timeout: 30_000 }).toBe(2);
  approve(job, asked);
  expect((await sent)?.status).toBe(200);
  expect(job.sentToDatadog()).toBe(already + 1);
};

/** The commit that uses an approval up takes so long that the gateway can be killed within it; the server ends it all the same. */
const slowDepartures = async (how: "CREATE" | "DROP"): Promise<void> => {
  await database.query(
    how === "CREATE"
      ? `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON departures DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION linger();`
      : "DROP TRIGGER lingers ON departures; DROP FUNCTION linger();",
  );
};

const committing = async (): Promise<boolean> => {
  const { rowCount } = await database.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'COMMIT' AND wait_event = 'PgSleep'",
  );
  return rowCount === 1;
};

const stateIn = async ({ session_id }: TokenAnswer): Promise<string> =>
  (await database.query<{ state: string }>("SELECT state FROM approvals WHERE session_id = $1", [session_id])).rows[0]
    ?.state ?? "";
