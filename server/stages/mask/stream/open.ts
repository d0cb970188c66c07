/** Chooses what masks a body while it passes: by its first bytes, and by its content type where those say nothing. */

import { archiveOf, codingOf, mayBeCompressed, tellingBytes } from "../body/compressed.ts";
import { delimiterOf } from "../body/multipart.ts";
import { deepestNesting } from "../findings.ts";
import { FormStream } from "./form.ts";
import { Held } from "./held.ts";
import { JsonStream } from "./json.ts";
import { JsonOrText } from "./jsonOrText.ts";
import { eventStream, LineStream } from "./lines.ts";
import { type Opener, type StreamContext, type StreamMasker, Unstreamable } from "./masker.ts";
import { MultipartStream } from "./multipart.ts";
import { TextStream } from "./text.ts";

/** Throws `Unstreamable` where it is clear before the first byte. */
export const openStream: Opener = (context, contentType) => open(context, contentType, 0);

const open = (context: StreamContext, contentType: string, depth: number): StreamMasker => {
  const essence = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const hasFields = context.search.fields.rules.some(({ sides }) => (sides & context.side) !== 0);
  const isForm = essence.startsWith("multipart/") || essence === form;
  if (hasFields && isForm)
    throw new Unstreamable(`fields of it are to be masked, and ${essence} is not read as it passes`);
  const delimiter = essence.startsWith("multipart/") ? delimiterOf(contentType) : null;
  if (delimiter !== null) {
    if (depth >= deepestNesting) throw new Unstreamable("it has parts in parts in parts");
    return new MultipartStream(context, delimiter, (inner, type) => open(inner, type, depth + 1));
  }
  return new SniffedStream(context, { essence, hasFields });
};

const form = "application/x-www-form-urlencoded";
const lineTypes = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/jsonlines",
  eventStream,
]);

const byteOrderMark = Buffer.from("\uFEFF");

type Expected = { readonly essence: string; readonly hasFields: boolean };

/** A false content type must not hide anything: the first bytes say what it is. */
class SniffedStream implements StreamMasker {
  readonly #context: StreamContext;
  readonly #expected: Expected;
  #masker: StreamMasker | null = null;
  /** The beginning, until enough of it is there. */
  readonly #held = new Held();
  constructor(context: StreamContext, expected: Expected) {
    this.#context = context;
    this.#expected = expected;
  }

  push(piece: Buffer): Buffer {
    if (this.#masker !== null) return this.#masker.push(piece);
    this.#held.push(piece);
    const { bytes } = this.#held;
    if (bytes.length < tellingBytes && mayBeCompressed(bytes)) return Buffer.alloc(0);
    return this.#begin(bytes, { isLast: false });
  }

  end(): Buffer {
    if (this.#masker !== null) return this.#masker.end();
    const first = this.#begin(this.#held.bytes, { isLast: true });
    const masker = this.#masker as StreamMasker | null;
    return masker === null ? first : Buffer.concat([first, masker.end()]);
  }

  #begin(bytes: Buffer, { isLast }: { readonly isLast: boolean }): Buffer {
    const format = archiveOf(bytes) ?? codingOf(bytes);
    if (format !== null)
      throw new Unstreamable(`nobody looks into the ${format} file that it is or holds while it passes`);
    const marked = byteOrderMark.subarray(0, bytes.length).equals(bytes.subarray(0, byteOrderMark.length));
    // A mark is passed over, wherever it is cut: fields stand behind it all the same.
    if (!isLast && marked && bytes.length < byteOrderMark.length) return Buffer.alloc(0);
    const first = bytes.find((byte, at) => byte > 0x20 && !(marked && at < byteOrderMark.length));
    // White space alone: nothing in it is masked.
    if (first === undefined) return this.#held.take();
    this.#masker = this.#maskerFor(first);
    const whole = this.#held.take();
    if (!marked) return this.#masker.push(whole);
    return Buffer.concat([byteOrderMark, this.#masker.push(whole.subarray(byteOrderMark.length))]);
  }

  #maskerFor(first: number): StreamMasker {
    const { essence, hasFields } = this.#expected;
    if (lineTypes.has(essence)) return new LineStream(this.#context, essence);
    if (first === 0x7b || first === 0x5b || first === 0x22)
      return hasFields ? new JsonStream(this.#context) : new JsonOrText(this.#context);
    if (hasFields && essence.endsWith("json"))
      throw new Unstreamable("it is not JSON, and fields of it are to be masked");
    return essence === form ? new FormStream(this.#context) : new TextStream(this.#context);
  }
}
