/** What Datadog's recorded exchanges suggest as a policy allows those very calls, and no operation, caller or connection besides. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../server/cli/check.ts";
import { backtestPolicy } from "../../server/cli/policy/backtest.ts";
import { suggestPolicy } from "../../server/cli/policy/suggest.ts";
import { testPolicy } from "../../server/cli/policy/test.ts";
import type { CallJson } from "../../server/contract.ts";
import { buildCatalogue, type CatalogueEntry } from "../../server/datadog/catalogue.ts";
import { hostOfPrefix } from "../../server/datadog/hosts.ts";
import { examinerOf } from "../../server/rulebook.ts";
import { githubClaims } from "../standins/issuer.ts";
import { type Exchange, loadRecordings } from "../standins/recordings.ts";
import { inParallel, send } from "../standins/send.ts";
import { startWorld, type World } from "../standins/world.ts";

const recordings = loadRecordings();
const exchanges: readonly Exchange[] = (recordings ?? []).flatMap((recording) => recording.exchanges);
const now = new Date();

describe.skipIf(recordings === null)("the policy suggested by ../shared/datadog-recordings", () => {
  let world: World;
  let session: string;
  let calls: readonly CallJson[];
  /** The gateway's configuration with the suggested policy in place of its own. */
  let file: string;

  beforeAll(async () => {
    world = await startWorld(() => ({ status: 200, body: Buffer.from("{}") }));
    const { access_token: token, session_id } = await world.openSession();
    session = session_id;
    await inParallel(exchanges, 16, async ({ request }) => {
      const answer = await send(world.url, {
        method: request.method,
        target: (request.path === "/" ? "/proxy/ip-ranges.datadoghq.com" : "") + targetOf(request),
        headers: [
          ...(request.contentType === null ? [] : [["Content-Type", request.contentType] as const]),
          ["DD-API-KEY", token],
        ],
        ...(request.body.length === 0 ? {} : { body: request.body }),
      });
      if (answer.status !== 200) throw new Error(`${request.method} ${request.path}: ${answer.status}`);
    });
    calls = await world.calls(session);
    const suggested = await suggestPolicy(
      { config: world.file, session: [session], includeDestructive: true },
      context,
    );
    if (suggested.exitCode !== 0) throw new Error(suggested.output);
    file = configurationWith("suggested.yaml", suggested.output);
  }, 120_000);

  afterAll(() => world.close());

  const context = { env: {}, now };
  const silent = (): void => undefined;

  /** Beside the gateway's own file. */
  const configurationWith = (name: string, policy: string): string => {
    const path = join(world.file, "..", name);
    const other = "  - { name: other, kind: live, site: datadoghq.com, apiKey: a, appKey: b }\naccess:";
    writeFileSync(
      path,
      readFileSync(world.file, "utf8")
        .replace("access:", other)
        .replace(/^policy:[\s\S]*/m, policy),
    );
    return path;
  };

  type Row = { name: string; request: object; expect: string | object; caller?: string; connection?: string };

  /** Runs rows as table tests of the suggested policy, and gives the names of those that failed. */
  const failing = async (rows: readonly Row[], policy = "suggested.yaml"): Promise<string[]> => {
    const { repository_id, ...others } = githubClaims as Record<string, unknown>;
    const table = {
      policy,
      callers: {
        agent: { ...others, repository_id },
        stranger: { ...others, repository_id: "999" },
      },
      caller: "agent",
      connection: "prod",
      tests: rows,
    };
    const path = join(world.file, "..", "suggested.test.yaml");
    writeFileSync(path, JSON.stringify(table));
    const { output, exitCode } = await testPolicy({ file: path, json: true, ...context });
    if (exitCode === 2) throw new Error(output);
    const { tests } = JSON.parse(output) as { tests: { name: string; passed: boolean; reason: string }[] };
    expect(tests).toHaveLength(rows.length);
    return tests.filter(({ passed }) => !passed).map(({ name, reason }) => `${name}: ${reason}`);
  };

  const rowOf = ({ request }: Exchange, expected: Pick<Row, "expect" | "caller" | "connection">): Row => ({
    name: `${request.method} ${request.path}`,
    request: {
      method: request.method,
      path: request.path,
      query: request.query,
      ...(request.path === "/" && { host: "ip-ranges.datadoghq.com" }),
    },
    ...expected,
  });

  test("passes dogwatch check", () => {
    expect(check({ file, env: {}, examine: examinerOf() })).toMatchObject({ exitCode: 0 });
  });

  test("allows every call that was recorded", async () => {
    expect(exchanges.length).toBeGreaterThan(1_000);
    expect(await failing(exchanges.map((exchange) => rowOf(exchange, { expect: "allow" })))).toEqual([]);
  });

  test("changes no decision in a backtest of those calls", async () => {
    const answer = await backtestPolicy({ file, config: world.file, since: "1h", json: true }, context, silent);
    expect(JSON.parse(answer.output)).toMatchObject({ calls: exchanges.length, changed: 0, undecided: 0 });
    expect(answer.exitCode).toBe(0);
  });

  test("denies every operation that was not recorded", async () => {
    const recorded = new Set(calls.map(({ operation }) => operation));
    const others = buildCatalogue().entries.filter(({ id }) => !recorded.has(id));
    expect(others.length).toBeGreaterThan(1_000);
    expect(await failing(others.map(unrecorded))).toEqual([]);
  });

  test("denies what was recorded to another caller, and on another connection", async () => {
    const some = exchanges.filter((_, index) => index % 5 === 0);
    expect(await failing(some.map((one) => rowOf(one, { expect: "deny", caller: "stranger" })))).toEqual([]);
    expect(await failing(some.map((one) => rowOf(one, { expect: "deny", connection: "other" })))).toEqual([]);
  });

  test("asks before what destroys, unless it was told to include it", async () => {
    const { output } = await suggestPolicy({ config: world.file, session: [session] }, context);
    configurationWith("asking.yaml", output);
    const destructive = new Set(
      calls.filter(({ access }) => access === "destructive").map(({ operation }) => operation),
    );
    expect(destructive.size).toBeGreaterThan(50);
    const deletions = exchanges.filter(({ request }) => request.method === "DELETE");
    expect(
      await failing(
        deletions.map((one) => rowOf(one, { expect: "approve" })),
        "asking.yaml",
      ),
    ).toEqual([]);
  });
});

const targetOf = ({ path, query }: Exchange["request"]): string => (query === "" ? path : `${path}?${query}`);

/** A request for an operation, on the host that the official client uses. */
const unrecorded = ({ id, method, path, hosts }: CatalogueEntry) => {
  const [prefix = "api"] = hosts;
  return {
    name: id,
    request: {
      method,
      host: hostOfPrefix("datadoghq.com", prefix) ?? "api.datadoghq.com",
      path: path.replaceAll(/\{\w+\}/g, "7"),
    },
    expect: { effect: "deny", rules: [], operation: id },
  };
};
