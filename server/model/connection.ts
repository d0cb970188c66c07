/** A named Datadog organization: its site, where its hosts really are, and of which kind it is. */

export type Connection = {
  readonly name: string;
  readonly kind: "live" | "sandbox";
  /** `datadoghq.com`, `us3.datadoghq.com`, … */
  readonly site: string;
  /** Replaces the address of every host of the site; the Host header still names the Datadog host. */
  readonly endpoint?: string;
  /** CEL over `caller`: narrows who may use this connection. */
  readonly allow?: string;
  readonly apiKey: Secret;
  readonly appKey: Secret;
};

/** A value that no log, error or JSON ever shows: only `reveal()` gives it. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toJSON(): string {
    return "[secret]";
  }
  toString(): string {
    return "[secret]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
