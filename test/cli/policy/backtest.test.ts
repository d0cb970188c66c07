/** `dogwatch policy backtest`: recorded calls decided again with another policy, over a real database. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backtestPolicy, type BacktestRequest } from "../../../server/cli/policy/backtest.ts";
import { bodyOf } from "../../store/specimens.ts";
import { creation, deletion, denial, type Recorder, refused, startRecorder } from "../../journeys/policy/recorded.ts";
import { configuration, folder } from "./files.ts";

let recorder: Recorder;
let shop: string;
let pay: string;

beforeAll(async () => {
  recorder = await startRecorder();
  shop = await recorder.session("acme/shop");
  pay = await recorder.session("acme/pay");
  for (let i = 0; i < 3; i++) await recorder.call(shop);
  for (let i = 1; i <= 4; i++) await recorder.call(shop, deletion(i));
  await recorder.call(pay, deletion(9));
  await recorder.call(pay, creation({ name: "a", options: { thresholds: { critical: 90 } } }));
  await recorder.call(pay, creation({ name: "b", options: { thresholds: { critical: 10 } } }));
  await recorder.call(pay, { ...deletion(10), decision: denial }, refused);
  await recorder.call(
    pay,
    { ...deletion(11), decision: denial },
    { ...refused, status: 400, error_code: "request_malformed" },
  );
  await recorder.call(pay, { received_at: new Date("2020-01-01T00:00:00Z"), ...deletion(12) });
});
afterAll(() => recorder.close());

type Options = Partial<BacktestRequest> & { readonly policy: string };

const run = async ({ policy, ...request }: Options) => {
  const files = folder();
  files.write("dogwatch.yaml", `${configuration}policy: { rules: [] }\n`);
  const file = files.write("new.yaml", `policy:\n  rules:\n${policy}`);
  const printed: string[] = [];
  const answer = await backtestPolicy(
    { file, database: recorder.database.connectionString, ...request },
    { env: {}, now: new Date() },
    (text) => printed.push(text),
  );
  return { ...answer, output: answer.output.replaceAll(`${files.path}/`, ""), printed };
};

const json = async (options: Options) => {
  const { output, exitCode } = await run({ ...options, json: true });
  return { exitCode, report: JSON.parse(output) as Report };
};
type Report = {
  calls: number;
  changed: number;
  undecided: number;
  unsettled: { count: number };
  ungrouped: number;
  groups: {
    operation: string;
    caller: string;
    before: string;
    after: string;
    rules: string[];
    count: number;
    examples: { id: string; url: string }[];
  }[];
};

const everything = "    - { name: everything, effect: allow }\n";
const noDeletes = "    - { name: no-deletes, effect: deny, operations: DeleteMonitor }\n";

test("a policy that decides alike: exit code 0, and it says how many calls it looked at", async () => {
  const { exitCode, output } = await run({ policy: everything, session: [shop] });
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^7 calls since \S+, decided again by new\.yaml: no decision changes\n$/);
});

test("what changes is grouped by operation and caller, with counts, reasons and links: exit code 1", async () => {
  const { exitCode, output } = await run({ policy: everything + noDeletes });
  expect(exitCode).toBe(1);
  expect(
    output.replace(/since \S+,/, "since THEN,"),
  ).toBe(`12 calls since THEN, decided again by new.yaml: 5 decisions change

v1.MonitorsApi.DeleteMonitor (destructive)
  acme/shop on prod: 4 calls, allow → deny by no-deletes
    DeleteMonitor is denied by rule no-deletes
    https://dogwatch.example.com/sessions/${shop}/calls/4
    https://dogwatch.example.com/sessions/${shop}/calls/5
    https://dogwatch.example.com/sessions/${shop}/calls/6 and 1 call more
  acme/pay on prod: 1 call, allow → deny by no-deletes
    DeleteMonitor is denied by rule no-deletes
    https://dogwatch.example.com/sessions/${pay}/calls/1

note: 1 call never came to a decision (malformed, or broken off)
`);
});

test("as JSON, and every changed call on a line of its own", async () => {
  const { report, exitCode } = await json({ policy: everything + noDeletes, repo: ["Acme/Pay"] });
  expect(exitCode).toBe(1);
  expect(report).toMatchObject({ calls: 5, changed: 1, undecided: 1, ungrouped: 0 });
  expect(report.groups).toEqual([
    {
      operation: "v1.MonitorsApi.DeleteMonitor",
      access: "destructive",
      caller: "acme/pay",
      connection: "prod",
      before: "allow",
      after: "deny",
      rules_before: ["agents-may-read"],
      rules: ["no-deletes"],
      reason: "DeleteMonitor is denied by rule no-deletes",
      count: 1,
      examples: [{ id: `${pay}/1`, url: `https://dogwatch.example.com/sessions/${pay}/calls/1` }],
    },
  ]);
  const { printed } = await run({ policy: everything + noDeletes, every: true, json: true });
  expect(printed.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([
    ...[4, 5, 6, 7].map((n) => `${shop}/${n}`),
    `${pay}/1`,
  ]);
});

test("what was denied and would now be allowed is a change as well", async () => {
  const { report } = await json({ policy: everything, session: [pay] });
  expect(report.groups).toMatchObject([{ before: "deny", after: "allow", count: 1, examples: [{ id: `${pay}/4` }] }]);
});

describe("bodies", () => {
  const careful =
    '    - { name: reads, effect: allow, operations: [read, destructive] }\n    - { name: careful, effect: allow, when: operation.name == "CreateMonitor" && request.body.options.thresholds.critical < 50 }\n';

  test("are read where a rule needs them", async () => {
    const { report } = await json({ policy: careful, session: [pay] });
    const creations = report.groups.filter(({ operation }) => operation.endsWith("CreateMonitor"));
    expect(creations).toMatchObject([{ before: "allow", after: "deny", count: 1, examples: [{ id: `${pay}/2` }] }]);
  });

  test("that are large are read chunk by chunk, and those that were cut off settle nothing", async () => {
    const session = await recorder.session();
    const large = JSON.stringify({ name: "x".repeat(400_000), options: { thresholds: { critical: 10 } } });
    const spill = recorder.store.bodies.spill(session);
    await spill.write(Buffer.from(large));
    const spilled = { ...bodyOf(large), bytes: null, ...(await spill.finish()) };
    await recorder.call(session, creation({}, spilled));
    await recorder.call(session, creation({ name: "cut" }, { truncated: true }));
    const { report, exitCode } = await json({ policy: careful, session: [session] });
    expect(report).toMatchObject({ calls: 2, changed: 0, unsettled: { count: 1 } });
    expect(exitCode).toBe(0);
    const { output } = await run({ policy: careful, session: [session] });
    expect(output).toContain(
      `note: 1 call cannot be decided again: a rule reads a body that was not recorded whole, like https://dogwatch.example.com/sessions/${session}/calls/2`,
    );
  });

  test("that are larger than limits.inspect are refused, as the gateway would", async () => {
    const session = await recorder.session();
    await recorder.call(session, creation({ name: "y".repeat(4_000), options: { thresholds: { critical: 10 } } }));
    const files = folder();
    const file = files.write("whole.yaml", `${configuration}limits: { inspect: 1KiB }\npolicy:\n  rules:\n${careful}`);
    const { report } = await json({ policy: careful, file, session: [session] });
    expect(report.groups).toMatchObject([{ before: "allow", after: "refuse", count: 1 }]);
  });
});

describe("limits are counted for each session, in the order of its calls", () => {
  const limited =
    '    - { name: reads, effect: allow, operations: read }\n    - { name: one, effect: allow, operations: destructive, limit: 2/hour }\n    - { name: one-body, effect: allow, when: operation.name == "CreateMonitor" && request.body.ok, limit: 1/session }\n';

  test("those beyond are denied", async () => {
    const { report } = await json({ policy: limited, session: [shop] });
    expect(report.groups).toMatchObject([{ before: "allow", after: "deny", count: 2 }]);
    expect(report.groups[0]?.examples.map(({ id }) => id)).toEqual([`${shop}/6`, `${shop}/7`]);
  });

  test("uses leave the window, and a call that waits for its body is not overtaken", async () => {
    const session = await recorder.session();
    const at = (minutes: number) => new Date(Date.now() - 10 * 3_600_000 + minutes * 60_000);
    await recorder.call(session, { ...deletion(1), received_at: at(0) });
    await recorder.call(session, { ...creation({ ok: true }), received_at: at(1) });
    await recorder.call(session, { ...deletion(2), received_at: at(30) });
    await recorder.call(session, { ...deletion(3), received_at: at(59) });
    await recorder.call(session, { ...creation({ ok: true }), received_at: at(60) });
    await recorder.call(session, { ...deletion(4), received_at: at(61) });
    const { report } = await json({ policy: limited, session: [session] });
    expect(report.groups.flatMap(({ examples }) => examples.map(({ id }) => id)).toSorted()).toEqual([
      `${session}/4`,
      `${session}/5`,
    ]);
  });
});

test("who may open a session no more has all calls refused; observed calls that would be denied are a change", async () => {
  const files = folder();
  const file = files.write("whole.yaml", `${configuration.replace('"1234"', '"5"')}policy:\n  rules:\n${everything}`);
  const { report } = await json({ policy: everything, file, session: [shop] });
  expect(report).toMatchObject({ calls: 7, changed: 7 });
  expect(report.groups[0]).toMatchObject({ before: "allow", after: "refuse" });

  const session = await recorder.session();
  await recorder.call(session, { ...deletion(1), decision: { ...denial, effect: "observe" } });
  const observed = await json({ policy: noDeletes, session: [session] });
  expect(observed.report.groups).toMatchObject([{ before: "observe", after: "deny", count: 1 }]);
});

describe("wrong usage: exit code 2 and how to write it", () => {
  test.each([
    [{ since: "7 days" }, "--since 7 days: write a time like 7d, 12h, 30m, 2026-05-04 or 2026-05-04T12:00:00Z\n"],
    [{ session: ["7"] }, "--session 7: write the id of a session, or the address of its page\n"],
    [{ repo: ["shop"] }, "--repo shop: write OWNER/NAME, or a repository's id\n"],
  ])("%j", async (request, message) => {
    expect(await run({ policy: everything, ...request })).toMatchObject({ exitCode: 2, output: message });
  });

  test("nothing that fits is no proof of anything", async () => {
    const { exitCode, output } = await run({ policy: everything, repo: ["acme/none"] });
    expect(exitCode).toBe(2);
    expect(output).toContain("nothing was decided again");
  });

  test("a policy with an error", async () => {
    const { exitCode, output } = await run({ policy: everything.replace("allow", "alow") });
    expect(exitCode).toBe(2);
    expect(output).toMatch(/^new\.yaml:3:\d+ policy\.rules\.0\.effect: .*did you mean allow\?\n1 problem\n$/);
  });

  test("a database whose address is not known here", async () => {
    const { exitCode, output } = await run({ policy: everything, database: undefined });
    expect(exitCode).toBe(2);
    expect(output).toContain(
      "database names an environment variable or a file that is not there: set it, or use --database",
    );
  });
});

test("a database that is not there, or that no gateway ever used, is an error that says so", async () => {
  const nowhere = "postgres://dogwatch@127.0.0.1:1/dogwatch";
  await expect(run({ policy: everything, database: nowhere })).rejects.toThrow(/^the database cannot be reached: /);
});
