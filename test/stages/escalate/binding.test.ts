/** One byte of anything that is bound is another digest; nothing else is. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Binding } from "../../../server/model/approval.ts";
import { bodyBindingOf, digestOf, requestDigestOf } from "../../../server/stages/escalate/binding.ts";
import { codeOf } from "../../../server/stages/escalate/code.ts";
import { deletion } from "./example.ts";

const { binding } = deletion();

test("a change of any one part is another digest", () => {
  const digests = new Set([digestOf(binding)]);
  const changed: Record<keyof Binding, unknown> = {
    session_id: "other",
    issuer: "https://issuer.example.com",
    subject: `${binding.subject}x`,
    connection: "sandbox",
    repository_id: "4712",
    pull_request: 13,
    head_sha: "0".repeat(40),
    run_id: "901",
    run_attempt: "2",
    rules: ["other"],
    policy: "q".repeat(64),
    method: "PUT",
    host: "api.datadoghq.eu",
    path: "/api/v1/monitor/4213",
    query: "force=true",
    target: "t".repeat(64),
    content_type: "application/json",
    body_sha256: "0".repeat(64),
  };
  for (const [name, value] of Object.entries(changed)) digests.add(digestOf({ ...binding, [name]: value }));
  expect(digests.size).toBe(Object.keys(changed).length + 1);
  expect(Object.keys(changed).toSorted()).toEqual(Object.keys(binding).toSorted());
});

test("nothing moves from one part to another: null, the empty text and their neighbours differ", () => {
  const digests = [
    digestOf({ ...binding, path: "/a", query: "b" }),
    digestOf({ ...binding, path: "/ab", query: "" }),
    digestOf({ ...binding, content_type: "" }),
    digestOf({ ...binding, content_type: null }),
    digestOf({ ...binding, content_type: "null" }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("the order in which a binding was put together does not matter", () => {
  const reversed = Object.fromEntries(Object.entries(binding).toReversed()) as unknown as Binding;
  expect(digestOf(reversed)).toBe(digestOf(binding));
});

test("identical requests share what is known before GitHub was asked", () => {
  const later = { ...binding, pull_request: null, head_sha: null };
  expect(requestDigestOf(later)).toBe(requestDigestOf(binding));
  expect(requestDigestOf({ ...binding, query: "x=1" })).not.toBe(requestDigestOf(binding));
  expect(requestDigestOf(binding)).not.toBe(digestOf(binding));
});

test("one byte of a body is another body", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, xor) => {
        const other = Buffer.from(bytes);
        const index = at % other.length;
        other[index] = (other[index] ?? 0) ^ xor;
        expect(bodyBindingOf(other, null)).not.toEqual(bodyBindingOf(Buffer.from(bytes), null));
      },
    ),
  );
});

const part = (name: string, content: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${content}`;

const multipart = (boundary: string, parts: readonly string[], end = "--\r\n") =>
  Buffer.from(`${parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("")}--${boundary}${end}`);

const bound = (boundary: string, body: Buffer) => bodyBindingOf(body, `multipart/form-data; boundary=${boundary}`);

test("the same parts behind another boundary are the same body", () => {
  const parts = [part("a", "1"), part("file", "x\r\ny\r\n\r\nz")];
  expect(bound("AAAA", multipart("AAAA", parts))).toEqual(bound("bbbb-1", multipart("bbbb-1", parts)));
  expect(bound("AAAA", multipart("AAAA", parts)).content_type).toBe("multipart/form-data");
});

test("any difference in a part, its header, their order or their number is another body", () => {
  const parts = [part("a", "1"), part("b", "2")];
  const others = [
    [part("a", "1"), part("b", "3")],
    [part("a", "1"), part("c", "2")],
    [part("b", "2"), part("a", "1")],
    [part("a", "1")],
    [part("a", "1"), part("b", "2"), part("b", "2")],
    [part("a", "1\r\n"), part("b", "2")],
    [part("a", ""), part("b", "12")],
  ];
  const digests = [parts, ...others].map((list) => bound("AAAA", multipart("AAAA", list)).body_sha256);
  expect(new Set(digests).size).toBe(digests.length);
});

test("where two readers could see different parts, every byte counts", () => {
  const sneaky = [part("a", "1\n--BBBB\nContent-Disposition: form-data; name=evil\n\n2")];
  // To a reader that ends lines with \n alone, the second has two parts.
  const harmless = bound("AAAA", multipart("AAAA", sneaky));
  const harmful = bound("BBBB", multipart("BBBB", sneaky));
  expect(harmful).not.toEqual(harmless);
  expect(harmful.content_type).toBe("multipart/form-data; boundary=BBBB");
  const parts = [part("a", "1")];
  const plain = bound("AAAA", multipart("AAAA", parts));
  for (const other of [
    bodyBindingOf(
      Buffer.concat([Buffer.from("before\r\n"), multipart("AAAA", parts)]),
      "multipart/form-data; boundary=AAAA",
    ),
    bound("AAAA", multipart("AAAA", parts, "--\r\nafter")),
    bound("AAAA", multipart("AAAA", parts, "")),
    bodyBindingOf(multipart("AAAA", parts), "multipart/form-data; boundary=AAAA; boundary=BBBB"),
    bodyBindingOf(multipart("AAAA", parts), "multipart/mixed; boundary=AAAA"),
    bound("AAAA", Buffer.from(multipart("AAAA", parts).toString().replaceAll("\r\n", "\n"))),
  ])
    expect(other.body_sha256).not.toBe(plain.body_sha256);
});

test("a CODE is 8 of A–Z and 0–9, and another one for another question", () => {
  const key = Buffer.alloc(32, 7);
  const question = { approval_id: "a", nonce: "n", digest: "d" };
  const codes = [
    codeOf(question, key),
    codeOf({ ...question, approval_id: "b" }, key),
    codeOf({ ...question, nonce: "m" }, key),
    codeOf({ ...question, digest: "e" }, key),
    codeOf({ approval_id: "an", nonce: "", digest: "d" }, key),
    codeOf(question, Buffer.alloc(32, 8)),
  ];
  for (const code of codes) expect(code).toMatch(/^[A-Z0-9]{8}$/);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codeOf(question, key)).toBe(codes[0]);
});
