/** What stands beside what a body says it holds is stored by nobody: margins of forms, fields of codings, formats that are not undone. */

import { deflateSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { everything, maskBoth, recorded } from "./setting.ts";

describe("what is stored of a body", () => {
  const known = "AKIAIOSFODNN7EXAMPLQ";
  const form: HeaderList = [["Content-Type", "multipart/form-data; boundary=b"]];

  const stored = async (body: Buffer, headers: HeaderList): Promise<string> => {
    const { recording } = await maskBoth(body, { masks: everything, headers });
    return recording.outcome === "unreadable"
      ? ""
      : recording.outcome === "masked"
        ? recording.bytes.toString("latin1")
        : body.toString("latin1");
  };
  test.for<[string, string]>([
    ["before the first part", `${known}\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n`],
    ["behind the last part", `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n${known}\r\n`],
    ["on the line of a boundary", `--b ${known}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n`],
  ])("a secret of a form %s", async ([, body]) => {
    expect(await stored(Buffer.from(body), form)).not.toContain(known);
  });

  const part = (content: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'),
      content,
      Buffer.from("\r\n--b--\r\n"),
    ]);
  const commented = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]),
    Buffer.from(`${known}\0`),
    gzipSync("hello").subarray(10),
  ]);
  test.for<[string, Buffer]>([
    ["behind the end of a gzip file", Buffer.concat([gzipSync("hello, this is a log"), Buffer.from(`\n${known}\n`)])],
    ["in the comment of a gzip file", commented],
  ])("a secret %s", async ([, content]) => {
    expect(await stored(part(content), form)).not.toContain(known);
    expect(await stored(content, [["Content-Type", "application/gzip"]])).not.toContain(known);
  });

  test("a file in zlib's form, which is not undone, is not stored as if somebody had looked into it", async () => {
    const { recording } = await maskBoth(part(deflateSync(`${known} and more of it`)), {
      masks: everything,
      headers: form,
    });
    expect(recording.outcome).toBe("unreadable");
  });

  test("zstd behind a frame that readers skip", async () => {
    const skipped = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]), zstdCompressSync(known)]);
    const { recording } = await maskBoth(part(skipped), { masks: everything, headers: form });
    expect(recording.outcome).not.toBe("untouched");
  });

  test("in two members of a gzip file, each with a comment", async () => {
    const content = Buffer.concat([gzipSync("hello"), commented]);
    expect(await stored(part(content), form)).not.toContain(known);
  });

  test("in the comment of a content coding", async () => {
    const headers: HeaderList = [
      ["Content-Type", "text/plain"],
      ["Content-Encoding", "gzip"],
    ];
    const { reply, recording } = await maskBoth(commented, { headers });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.toString("latin1")).not.toContain(known);
    expect(gunzipSync(recording.bytes).toString()).toBe("hello");
    expect(recording.values).toEqual([{ kind: "aws-access-key-id", text: known }]);
    expect(reply).toEqual(recording);
  });

  test.for([
    "x^2 + y^2 = z^2, and so on, as everybody knows who has seen a triangle once",
    "hbC x^5",
    "80ms latency",
    "80ms für alle",
  ])("a text that begins like a file in zlib's form is text: %s", async (text) => {
    expect(await recorded(text, { headers: [["Content-Type", "text/plain"]] })).toBe(text);
  });

  test.for([
    ["Content-Range", "bytes 0-7/200"],
    ["Content-Type", "multipart/byteranges; boundary=b"],
  ] as const)("a piece of a larger body is told to nobody: %s: %s", async (field) => {
    const { reply, recording } = await maskBoth(`ann@exa`, { headers: [field] });
    expect([reply.outcome, recording.outcome]).toEqual(["unreadable", "unreadable"]);
  });

  test("an answer that there is no such piece is read", async () => {
    const { recording } = await maskBoth("to ann@example.com", { headers: [["Content-Range", "bytes */200"]] });
    expect(recording.outcome).toBe("masked");
  });
});

describe("a list below a name of secrets", () => {
  test.for<[string, string]>([
    ["in JSON", '{"password":["hunter2","hunter3"]}'],
    ["in lists of lists", '{"a":{"api_key":[["hunter2"],"x",["hunter3"]]}}'],
  ])("%s", async ([, body]) => {
    expect(await recorded(body)).not.toMatch(/hunter/);
  });

  test("and nothing else in it", async () => {
    const body = '{"password":[{"note":"hunter2"}],"names":["hunter3"]}';
    expect(await recorded(body)).toBe(body);
  });

  test.for(["api_key[]=hunter2", "user[password]=hunter2", "api_key[0]=hunter2", "a%5Bpassword%5D%5B%5D=hunter2"])(
    "in a form: %s",
    async (body) => {
      expect(await recorded(body, { headers: [["Content-Type", "application/x-www-form-urlencoded"]] })).not.toMatch(
        /hunter2/,
      );
    },
  );
});
