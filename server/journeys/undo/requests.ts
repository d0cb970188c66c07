/** The requests of a plan. A path is made of the catalogue's template and an id that matches its kind's, and has to read back as exactly that. */

import { type Catalogue, type CatalogueEntry, lookUp } from "../../datadog/catalogue.ts";
import { type Kind, kinds } from "../../datadog/inverse.ts";
import type { Operation } from "../../model/operation.ts";

/** What an operation does to its resource. */
export type Role = "create" | "show" | "change" | "remove" | "restore" | "removeSeveral";

export type Known = { readonly kind: Kind; readonly role: Role };

/** To `api.<site>` of the session's connection, whatever host was recorded. */
export type UndoRequest = {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | null;
};

export class Requests {
  readonly #catalogue: Catalogue;
  readonly #entries: ReadonlyMap<string, CatalogueEntry>;
  readonly #roles = new Map<string, Known>();
  /** Of what is done to a thing below its own path: `…/monitor/{monitor_id}/mute`. */
  readonly #things: readonly (readonly [prefix: string, kind: Kind])[];

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#entries = new Map(catalogue.entries.map((entry) => [entry.id, entry]));
    for (const kind of kinds)
      for (const role of ["create", "show", "change", "remove", "restore", "removeSeveral"] as const) {
        const operation = kind[role];
        if (operation !== undefined) this.#roles.set(operation, { kind, role });
      }
    this.#things = kinds.map((kind) => [`${this.#entry(kind.show).path}/`, kind]);
  }

  /** Null for what has no known inverse. */
  known({ id, path }: Pick<Operation, "id" | "path">): Known | null {
    const own = this.#roles.get(id);
    if (own !== undefined) return own;
    const [, kind] = this.#things.find(([prefix]) => path.startsWith(prefix)) ?? [];
    return kind === undefined ? null : { kind, role: "change" };
  }

  /** As the catalogue reads what was recorded; null when it reads it as another operation than the one recorded. */
  read(recorded: { readonly operation: string; readonly method: string; readonly path: string }): Operation | null {
    try {
      const found = lookUp(this.#catalogue, "api", recorded);
      return found.known && found.id === recorded.operation ? found : null;
    } catch (error) {
      if (error instanceof URIError) return null;
      throw error;
    }
  }

  /** The id in the path of an operation on one thing; null when it is none of its kind's. */
  idIn(kind: Kind, { params }: Operation): string | null {
    const name = /\{(\w+)\}/.exec(this.#entry(kind.show).path)?.[1] ?? "";
    const id = params[name];
    return id !== undefined && kind.id.test(id) ? id : null;
  }

  /** `id` null: of the collection. */
  to(operation: string, id: string | null, body: string | null): UndoRequest {
    const { method, path: template } = this.#entry(operation);
    const path = template.replace(/\{\w+\}/, id ?? "");
    const read = lookUp(this.#catalogue, "api", { method, path });
    const [param] = Object.values(read.params);
    if (read.id !== operation || (param ?? null) !== id) throw new Error(`${operation} cannot be asked for this id`);
    return { operation, method, path, body };
  }

  methodOf(operation: string): string {
    return this.#entry(operation).method;
  }

  #entry(operation: string): CatalogueEntry {
    const entry = this.#entries.get(operation);
    if (entry === undefined) throw new Error(`the catalogue has no ${operation}`);
    return entry;
  }
}
