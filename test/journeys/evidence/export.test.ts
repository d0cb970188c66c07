/** An export in the hands of somebody who alters it, and what is left when bodies and receipts have expired. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newSignKeys } from "../../standins/sealing.ts";
import { named, reportOf, type Scene, startScene, verify } from "./scene.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- the lines are altered at will
type Line = any;

let scene: Scene;
let ids: string[];
let lines: string[];
let summary: string;

beforeAll(async () => {
  scene = await startScene();
  ids = [await scene.session(4), await scene.session(3)];
  summary = await scene.summary(ids[1] ?? "");
  lines = await scene.export("all");
});
afterAll(() => scene.close());

const parsed = (): Line[] => lines.map((line) => JSON.parse(line));
const check = (altered: readonly Line[], now = new Date()) =>
  verify(
    altered.map((line) => (typeof line === "string" ? line : JSON.stringify(line))),
    { keys: scene.keys, anchors: [summary], now },
  );
const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);
const isReceipt = (n: number) => (line: Line) =>
  line.kind === "receipt" && line.receipt.session_id === ids[0] && line.receipt.n === n;

const everythingFound = (report: Awaited<ReturnType<typeof check>>): string[] => [
  ...named(report),
  ...report.sessions.flatMap((session) =>
    session.findings.length === 0 ? [] : [`${session.verdict}: ${named(session).join(", ")}`],
  ),
];

test("nothing is found in what nobody altered, whatever the order of the fields in a line", async () => {
  const turned = parsed().map((line) => Object.fromEntries(Object.entries(line as object).toReversed()));
  expect(everythingFound(await check(turned))).toEqual([]);
});

describe("an altered file", () => {
  const cases: readonly [what: string, alter: (all: Line[]) => Line[], found: readonly string[]][] = [
    ["its end cut off", (all) => all.slice(0, -1), ["file"]],
    ["cut in a line", (all) => [...all.slice(0, -1), '{"kind":"end","li'], ["file", "file"]],
    [
      "a receipt taken out",
      (all) => all.filter((line) => !isReceipt(2)(line)),
      ["file", "altered: body 2, body 2, gap 2"],
    ],
    [
      "one letter of a receipt",
      (all) => {
        all.find(isReceipt(3)).receipt.path = "/api/v1/monitos";
        return all;
      },
      ["altered: request 3"],
    ],
    [
      "a field added to a receipt",
      (all) => {
        all.find(isReceipt(3)).receipt.note = "approved by the CEO";
        return all;
      },
      ["altered: chain 3"],
    ],
    [
      "two receipts exchanged",
      (all) => {
        const [i, j] = [all.findIndex(isReceipt(2)), all.findIndex(isReceipt(3))];
        return all.with(i, all[j]).with(j, all[i]);
      },
      ["altered: gap 2, body 2, body 2, body 3, body 3, order 2, body 3, body 3, body 2, body 2"],
    ],
    [
      "a body's bytes",
      (all) => {
        all.find((line) => line.kind === "body" && line.n === 2).bytes = Buffer.from("{}").toString("base64");
        return all;
      },
      ["altered: body 2"],
    ],
    [
      "a body that is said to have expired, when others of its session have not",
      (all) =>
        all.map((line) =>
          line.kind === "body" && line.n === 2 ? { kind: "bodyless", n: 2, side: line.side, why: "expired" } : line,
        ),
      ["altered: body", "altered: body"],
    ],
    [
      "a body taken out",
      (all) => all.filter((line) => !(line.kind === "body" && line.n === 2 && line.side === "request")),
      ["file", "altered: body 2", "altered: body 2"],
    ],
    [
      "the checkpoint taken out",
      (all) => all.filter(({ kind }) => kind !== "checkpoint"),
      ["log", "file", "altered: seal", "altered: seal"],
    ],
    [
      "a leaf of the log",
      (all) => {
        all.find(({ kind }) => kind === "leaves").hashes = Buffer.alloc(64).toString("base64");
        return all;
      },
      ["log", "anchor"],
    ],
    [
      "the size in the checkpoint",
      (all) => {
        const line = all.find(({ kind }) => kind === "checkpoint");
        line.note = line.note.replace("\n2\n", "\n3\n");
        return all;
      },
      ["log", "altered: seal", "altered: seal"],
    ],
    [
      "the session itself",
      (all) => {
        all.find(({ kind }) => kind === "session").session.caller.subject = "repo:evil/app";
        return all;
      },
      ["altered: session"],
    ],
    [
      "one session taken out",
      (all) => {
        const at = all.map(({ kind }) => kind).indexOf("session");
        const next = all.map(({ kind }) => kind).indexOf("session", at + 1);
        return all.toSpliced(at, next - at);
      },
      ["file", "missing"],
    ],
    // What is in the file is proven all the same; whoever asked for more says so.
    ["a header that says less was asked for", (all) => all.with(0, { ...all[0], sessions: [] }), []],
    ["no header", (all) => all.slice(1), ["file", "file"]],
    [
      "a session twice",
      (all) => [...all.slice(0, -1), all.find(({ kind }) => kind === "session"), all.at(-1)],
      ["file", "file", "altered: tail 1, chain"],
    ],
  ];

  test.each(cases)("%s", async (_what, alter, found) => {
    expect(everythingFound(await check(alter(parsed())))).toEqual(found);
  });

  test("that another key signed is not believed, whatever it says of itself", async () => {
    const report = await verify(lines, { keys: newSignKeys() });
    expect(named(report)).toEqual(["log"]);
    expect(report.sessions.map(({ verdict }) => verdict)).toEqual(["altered", "altered"]);
  });

  test("one character anywhere in it never passes unnoticed, but in what is only information", async () => {
    // The header says which keys there are and when it was made, digests and prints are hints, a body's expiry is a statement.
    const covered = lines.flatMap((line, i) => (/^\{"kind":"(header|digests|end)"/.test(line) ? [] : [i]));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...covered), fc.nat(), async (at, place) => {
        const line = lines[at] ?? "";
        // Keys of fields that nobody reads may be anything: values are what is altered.
        const start = line.indexOf(":", 10) + 1;
        const i = start + (place % (line.length - start));
        const was = line[i] ?? "";
        const now = was === "7" ? "8" : "7";
        const altered = lines.with(at, line.slice(0, i) + now + line.slice(i + 1));
        const report = await check(altered);
        expect([i, line.slice(Math.max(0, i - 30), i + 30), everythingFound(report).length > 0]).toEqual([
          i,
          line.slice(Math.max(0, i - 30), i + 30),
          true,
        ]);
      }),
      { numRuns: 200 },
    );
  });

  test("bytes that are written in another way than a gateway's are found", async () => {
    const at = lines.findIndex((line) => line.startsWith('{"kind":"leaves"'));
    // Of the last character before `=` only some bits count.
    const other = (line: string): string =>
      line.replace(
        /(.)(=+"\})$/u,
        (_, was: string, rest: string) => `${String.fromCodePoint((was.codePointAt(0) ?? 0) + 1)}${rest}`,
      );
    const altered = lines.with(at, other(lines[at] ?? ""));
    expect(Buffer.from(altered[at] ?? "")).not.toEqual(Buffer.from(lines[at] ?? ""));
    expect(everythingFound(await check(altered))).toContain("file");
  });

  test("anything at all is read to its end without an exception", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...lines)), { maxLength: 20 }),
        async (some) => {
          expect(everythingFound(await check(some)).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 100 },
    );
    expect(everythingFound(await check([lines[0], `{"kind":"receipt","receipt":${"[".repeat(200_000)}`]))).toContain(
      "file",
    );
  });
});

describe("what has expired", () => {
  test("bodies are stated, and the proof holds once their time is over by the verifier's own clock", async () => {
    await scene.tamper(`SELECT drop_bodies(epoch_of('${ids[0]}'))`);
    const exported = (await scene.export("all", () => inDays(91))).map((line) => JSON.parse(line));
    for (const early of [new Date(), inDays(89)])
      expect(everythingFound(await check(exported, early))).toEqual(["altered: body", "altered: body"]);
    const report = await check(exported, inDays(91));
    expect(everythingFound(report)).toEqual([]);
    expect(report.sessions.map(({ verdict, notes }) => [verdict, notes])).toEqual([
      ["anchored", ["8 bodies have expired; their digests are in the chain"]],
      ["anchored", ["6 bodies have expired; their digests are in the chain"]],
    ]);
  });

  test("a receipt altered after its bodies expired is still found", async () => {
    await scene.tamper(`UPDATE closings SET status = 500 WHERE session_id = '${ids[0]}' AND n = 4`);
    const exported = (await scene.export("all")).map((line) => JSON.parse(line));
    expect(named(reportOf(await check(exported, inDays(91)), ids[0] ?? ""))).toEqual(["outcome 4"]);
  });

  test("a session whose receipts' time is over keeps its leaf; one whose time is not over is missing", async () => {
    await scene.tamper(
      `SELECT delete_sessions(ARRAY['${ids[0]}'::uuid])`,
      `DELETE FROM calls WHERE session_id = '${ids[0]}'`,
    );
    const now = await check((await scene.export("all")).map((line) => JSON.parse(line)));
    expect(reportOf(now, ids[0] ?? "").verdict).toBe("missing");
    const later = await startLater();
    expect(reportOf(await check(later, inDays(500)), ids[0] ?? "")).toMatchObject({
      verdict: "anchored",
      findings: [],
    });
    // The gateway's clock, or whoever wrote the file, may say anything.
    expect(reportOf(await check(later), ids[0] ?? "").verdict).toBe("missing");
    // Somebody who only says so, without its seal, is not believed.
    const claimed = later.map((line) => (line.kind === "absent" ? { ...line, proof: [] } : line));
    expect(reportOf(await check(claimed, inDays(500)), ids[0] ?? "").verdict).toBe("missing");
  });

  const startLater = async (): Promise<Line[]> =>
    (await scene.export("all", () => inDays(500))).map((line) => JSON.parse(line));
});
