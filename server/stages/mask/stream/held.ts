/** Bytes that wait for more: adding to them costs what is added, however small the pieces are. */

export class Held {
  #room: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view: it holds until more is added. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  push(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#length));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    chunk.copy(this.#room, this.#length);
    this.#length = length;
  }

  /** The rest is copied: what was given out of it stays what it is, and nothing larger is held for its sake. */
  drop(count: number): void {
    this.#room = Buffer.from(this.#room.subarray(count, this.#length));
    this.#length = this.#room.length;
  }

  /** All of it; nothing is held any more. */
  take(): Buffer {
    const { bytes } = this;
    this.#room = Buffer.alloc(0);
    this.#length = 0;
    return bytes;
  }
}
