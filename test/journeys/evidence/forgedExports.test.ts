/** Exports that somebody altered where nothing is signed: lines left out, added or said twice, and statements about what is not there. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { beginChain, continueChain } from "../../../server/stages/seal/chain.ts";
import { readLine, type WrittenLine } from "../../../server/stages/seal/proofLines.ts";
import { digestReceipt } from "../../../server/stages/seal/receipt.ts";
import { findAnchors } from "../../../server/stages/seal/verify/anchor.ts";
import { hasFinding, type Report } from "../../../server/stages/seal/verify/report.ts";
import { sealedSessionOf } from "../../../server/journeys/seal.ts";
import { openSession } from "../../store/specimens.ts";
import { named, reportOf, type Scene, startScene, type Trusted, verify } from "./scene.ts";

let scene: Scene;
let first: string;
let id: string;
/** Of the session itself. */
let own: string;
/** Of the last session: an anchor that covers every earlier one. */
let summary: string;

beforeAll(async () => {
  scene = await startScene();
  first = await scene.session(1);
  id = await scene.session(3);
  own = await scene.summary(id);
  summary = await scene.summary(await scene.session(1));
});
afterAll(() => scene.close());

const linesOf = async (wanted: "all" | readonly string[]): Promise<WrittenLine[]> =>
  (await scene.export(wanted)).map((line) => JSON.parse(line) as WrittenLine);
const isLine = (line: object): line is WrittenLine => "kind" in line;
/** With the count that its last line says. */
const written = (lines: readonly object[]): string[] =>
  lines.map((line) => JSON.stringify(isLine(line) && line.kind === "end" ? { ...line, lines: lines.length } : line));
const check = (lines: readonly object[], trusted: Omit<Trusted, "keys"> = { anchors: [summary], wanted: [id] }) =>
  verify(written(lines), { keys: scene.keys, ...trusted });
const isOf = (session: string, line: WrittenLine): boolean => line.kind === "session" && line.session.id === session;

/** Where the lines of a session begin and end. */
const placeOf = (lines: readonly WrittenLine[], session: string): { readonly from: number; readonly to: number } => {
  const from = lines.findIndex((line) => isOf(session, line));
  const to = lines.findIndex(({ kind }, i) => i > from && ["session", "absent", "end"].includes(kind));
  return { from, to };
};

const without = (lines: readonly WrittenLine[], session: string): WrittenLine[] => {
  const { from, to } = placeOf(lines, session);
  return [...lines.slice(0, from), ...lines.slice(to)];
};

const kinds = (report: Report): string[] => [
  ...named(report),
  ...report.sessions.flatMap((session) => session.findings.map(({ kind }) => `${session.verdict}: ${kind}`)),
];

test("nothing is found in what nobody altered", async () => {
  expect(kinds(await check(await linesOf([id])))).toEqual([]);
  expect(kinds(await check(await linesOf("all"), { anchors: [own, summary], wanted: "all" }))).toEqual([]);
});

describe("a session without its seal", () => {
  test("whose calls were altered", async () => {
    const altered = (await linesOf([id]))
      .filter(({ kind }) => kind !== "digests")
      .map((line) => {
        if (line.kind === "session") return { ...line, seal: null, proof: null };
        return line.kind === "receipt" && line.receipt.n === 2
          ? { ...line, receipt: { ...line.receipt, status: 418 } }
          : line;
      });
    expect(kinds(await check(altered))).toContain("altered: seal");
  });

  test("said to be open, weeks after its end, with no call in it", async () => {
    const altered = (await linesOf([id])).flatMap((line): object[] => {
      if (line.kind === "session")
        return [
          { ...line, session: { ...line.session, state: "open", closed_at: null, calls: 0 }, seal: null, proof: null },
        ];
      return ["digests", "receipt", "body"].includes(line.kind) ? [] : [line];
    });
    expect(kinds(await check(altered))).toEqual(["altered: seal"]);
  });

  test("is a finding also where it is honest: nothing is proven yet", async () => {
    const { id: open } = await openSession(scene.store.sessions);
    const report = await verify(await scene.export([open]), { keys: scene.keys });
    expect(kinds(report)).toEqual(["altered: seal"]);
    expect(reportOf(report, open).findings[0]?.message).toMatch(/^it has no seal/);
    await scene.store.sessions.close(open, "closed");
    // Everything: its seal is on its way, and a minute later it has to be there.
    expect(kinds(await verify(await scene.export("all"), { keys: scene.keys, wanted: "all" }))).toEqual([]);
    const later = await scene.export("all", () => new Date(Date.now() + 61_000));
    expect(kinds(await verify(later, { keys: scene.keys, wanted: "all" }))).toEqual(["altered: seal"]);
    await scene.sealer.round();
    expect(kinds(await verify(await scene.export("all"), { keys: scene.keys, wanted: "all" }))).toEqual([]);
  });
});

test("a session written anew with a recomputed chain, its proof left out: its leaf is not taken for shown", async () => {
  const lines = await linesOf("all");
  const { from, to } = placeOf(lines, id);
  const session = await scene.store.sessions.get(id);
  if (session === null) throw new Error("no session");
  let head = beginChain(sealedSessionOf(session, 2));
  const anew = lines.map((line, i) => {
    if (i <= from || i >= to || line.kind !== "receipt") return line;
    const receipt = line.receipt.n === 2 ? { ...line.receipt, status: 418 } : line.receipt;
    head = continueChain(head, digestReceipt(receipt));
    return { ...line, receipt };
  });
  const sent = anew.flatMap((line, i) => {
    if (i === from && line.kind === "session" && line.seal !== null)
      return [{ ...line, seal: { ...line.seal, head: head.toString("hex") }, proof: null }];
    return line.kind === "digests" && i > from && i < to ? [] : [line];
  });
  expect(kinds(await check(sent, { anchors: [summary], wanted: "all" }))).toEqual(["missing", "altered: seal"]);
});

describe("what is said to have expired minutes after its seal", () => {
  test("a session", async () => {
    const lines = await linesOf("all");
    const { from, to } = placeOf(lines, id);
    const session = lines[from];
    if (session?.kind !== "session") throw new Error("no session");
    const absent = { kind: "absent", session_id: id, seal: session.seal, proof: session.proof, why: "expired" };
    const report = await check([...lines.slice(0, from), absent, ...lines.slice(to)], { anchors: [summary] });
    expect(kinds(report)).toEqual(["missing: missing"]);
    expect(reportOf(report, id).findings[0]?.message).toContain("its time is not over");
  });

  test("all bodies", async () => {
    const bare = (await linesOf("all")).flatMap((line): object[] => {
      if (line.kind !== "body") return [line];
      return line.last ? [{ kind: "bodyless", n: line.n, side: line.side, why: "expired" }] : [];
    });
    expect(new Set(kinds(await check(bare, { anchors: [summary] })))).toEqual(new Set(["altered: body"]));
  });
});

describe("a session taken out, and the header's list with it", () => {
  const cut = async (wanted: "all" | readonly string[]): Promise<object[]> => {
    const [header, ...rest] = without(await linesOf(wanted), id);
    const sessions = rest.flatMap((line) => (line.kind === "session" ? [line.session.id] : []));
    return [{ ...header, sessions }, ...rest];
  };

  test("is missing when its own job summary is given", async () => {
    expect(kinds(await check(await cut([first, id]), { anchors: [own] }))).toEqual(["missing: missing"]);
    expect(kinds(await check(await cut("all"), { anchors: [own] }))).toEqual(["missing: missing"]);
  });

  test("is missing when whoever verifies says what was asked for", async () => {
    expect(kinds(await check(await cut([first, id]), { wanted: [first, id] }))).toEqual(["missing: missing"]);
    expect(kinds(await check(await cut("all"), { wanted: "all" }))).toEqual(["file", "missing"]);
  });

  test("leaves a file without a session, which proves nothing", async () => {
    expect(kinds(await check(await cut([id]), {}))).toEqual(["file"]);
  });
});

test("the summary of another session vouches for those that whoever verifies names, and for them only", async () => {
  const lines = await linesOf([id]);
  const report = await check(lines, { anchors: [summary], wanted: [id] });
  expect([kinds(report), reportOf(report, id).verdict]).toEqual([[], "anchored"]);
  // Without a word about it, the session of the summary may have been taken out.
  expect(kinds(await check(lines, { anchors: [summary] }))).toEqual(["missing: missing"]);
});

describe("a line that says more than was signed", () => {
  test("a body where no receipt has one", async () => {
    const lines = await linesOf([id]);
    const at = lines.findIndex(({ kind }) => kind === "session");
    const body = lines.find(({ kind }) => kind === "body");
    const forged = { ...body, n: 2, bytes: Buffer.from("forged").toString("base64"), last: true };
    expect(kinds(await check(lines.toSpliced(at + 1, 0, forged as WrittenLine)))).toEqual(["altered: body"]);
    expect(kinds(await check(lines.toSpliced(at, 0, forged as WrittenLine)))).toEqual(["file"]);
  });

  test("that a body is not kept, of a receipt that never had it", async () => {
    const lines = await linesOf([id]);
    const at = lines.findIndex(({ kind }) => kind === "receipt");
    const bodyless = { kind: "bodyless", n: 7, side: "request", why: "not kept" } as const;
    expect(kinds(await check(lines.toSpliced(at + 1, 0, bodyless)))).toEqual(["altered: body"]);
    expect(kinds(await check(lines.toSpliced(at, 0, bodyless)))).toEqual(["altered: body"]);
  });

  test.each(["session", "receipt", "body", "leaves", "checkpoint", "header", "end"])(
    "something beside what a %s line has",
    async (kind) => {
      const altered = (await linesOf([id])).map((line) =>
        line.kind === kind ? { ...line, comment: "approved by the CISO" } : line,
      );
      expect(kinds(await check(altered))).toContain("file");
    },
  );

  test.each([
    ['"receipt":{', '"receipt":{"status":418,'],
    ['"status":200', '"st\\u0061tus":418,"status":200'],
    ['{"kind":"receipt"', '{"kind":"session","kind":"receipt"'],
    ['"headers":[', '"headers":[],"headers":['],
  ])("a member twice, where two readers read two things: %s", async (once, twice) => {
    const lines = await scene.export([id]);
    const altered = lines.map((line) => line.replace(once, twice));
    expect(altered).not.toEqual(lines);
    expect(kinds(await verify(altered, { keys: scene.keys, wanted: [id] }))).toContain("file");
  });
});

test("a line that JSON.stringify wrote holds no member twice, whatever its texts are", () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), fc.string(), (json, name, text) => {
      const session = { id: text, opened_at: "", closed_at: null, calls: 0, [`x${name}`]: JSON.parse(json) as unknown };
      const line = { kind: "session", session, seal: null, proof: null };
      expect(readLine(JSON.stringify(line, null, text.length % 3))?.raw).toEqual(line);
      const again = JSON.stringify(`x${name}`);
      expect(readLine(JSON.stringify(line).replace('"session":{', () => `"session":{${again} : 1,`))).toBeNull();
    }),
  );
});

describe("anchors", () => {
  test("a checkpoint that lost its form on the way is not passed over while another one is used", async () => {
    const note = (await scene.store.log.checkpoint()) ?? "";
    const broken = [note.replace("=\n", "= \n"), note.replace("\n\n", "\n"), note.split("\n\n")[0] ?? ""];
    for (const one of broken)
      for (const file of [`${own}\n${one}\n`, `${one}\n${own}\n`, one])
        expect(named(await check(await linesOf([id]), { anchors: [file], wanted: [id] }))).toEqual(["anchor"]);
  });

  test("of several summaries in one file each is of its own session only", async () => {
    const note = (await scene.store.log.checkpoint()) ?? "";
    // The second job's summary was made before its seal; what follows is a checkpoint that somebody kept.
    const file = `${own}\n<h3>Dogwatch</h3>\n<p>Session ${first} on connection <b>prod</b></p>\n<p>1 call</p>\n\n${note}`;
    expect(findAnchors("anchors.txt", file).map(({ sealed }) => sealed?.session_id ?? null)).toEqual([id, null]);
    expect(hasFinding(await check(await linesOf("all"), { anchors: [file] }))).toBe(false);
  });
});
