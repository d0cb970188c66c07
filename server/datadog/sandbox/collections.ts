/** JSON:API resources that are created, read, changed and deleted alike; each says in its own file what it is made of. */

import { z } from "zod";
import { type Answer, jsonApi, noContent, ok, problem, refused } from "./answer.ts";
import { anything, type JsonObject, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, patch, post, put, type Route } from "./route.ts";

export type Item = {
  readonly id: string;
  readonly attributes: JsonObject;
  readonly relationships?: JsonObject;
};

export type Collection<T extends z.ZodObject> = {
  /** `/api/v2/powerpacks`; an item's id follows. */
  readonly path: string;
  readonly type: string;
  /** What a request's attributes must be to make one. */
  readonly told: T;
  /** What becomes of them; `before` is there when one is changed. A string refuses. */
  readonly attributes: (told: Partial<z.infer<T>>, before: JsonObject | undefined) => JsonObject | string;
  /** What becomes of the relationships; left out: none are kept. A string refuses. */
  readonly relationships?: (told: JsonObject, before: JsonObject | undefined) => JsonObject | string;
  /** From the id that a request asks for, or a new one; a UUID when left out. */
  readonly idOf?: (wanted: string | undefined) => string;
  readonly changedBy: "PUT" | "PATCH";
  /** What is said of one that is not there. */
  readonly missing: (id: string) => string | Answer;
  /** A service that names JSON:API: problems with title and detail, types and ids compared. */
  readonly strict?: boolean;
  /** The status of a create: 201 when strict, else 200, unless it is said here. */
  readonly made?: 200 | 201;
  /** Which of all are listed, and what is said of the list. */
  readonly list?: (all: readonly Item[], asked: Asked) => { readonly shown: readonly Item[] } & JsonObject;
  /** The whole answer about one, where that is more than its attributes. */
  readonly describe?: (item: Item) => { readonly data: JsonObject; readonly included?: readonly JsonObject[] };
};

const envelope = z.object({
  data: z.object({
    type: z.string(),
    id: z.string().optional(),
    attributes: z.record(z.string(), anything),
    relationships: z.record(z.string(), anything).optional(),
  }),
});

export type Collected = {
  readonly items: Map<string, Item>;
  /** For routes under one item. */
  readonly one: (handle: (item: Item, asked: Asked) => Answer) => (asked: Asked) => Answer;
  /** Keeps and answers. */
  readonly keep: (item: Item, status: 200 | 201) => Answer;
  readonly routes: readonly Route[];
};

export const collect = <T extends z.ZodObject>(org: Organization, kind: Collection<T>): Collected => {
  const { path, strict = false } = kind;
  const items = org.room.shelf<string, Item>();
  const describe = kind.describe ?? ((item) => ({ data: { type: kind.type, ...item } }));
  const styled = (answer: Answer): Answer => (strict ? jsonApi(answer) : answer);
  const refuse = (reason: string): Answer => (strict ? problem(400, "Bad Request", reason) : refused(400, reason));
  const one = (handle: (item: Item, asked: Asked) => Answer) => (asked: Asked) => {
    const id = asked.params["item_id"] ?? "";
    const item = items.get(id);
    if (item !== undefined) return handle(item, asked);
    const missing = kind.missing(id);
    if (typeof missing !== "string") return missing;
    return strict ? problem(404, "Not Found", missing) : refused(404, missing);
  };
  const keep = (item: Item, status: 200 | 201): Answer => {
    items.set(item.id, item);
    return styled({ status, body: describe(item) });
  };
  /** From the door: what is kept, or why nothing is. */
  const change = (asked: Asked, before: Item | undefined): Answer =>
    accept(asked, envelope, ({ data }) => {
      const told = reading(kind, data, before !== undefined && kind.changedBy === "PATCH");
      if (typeof told === "string") return refuse(told);
      if (before !== undefined && strict && kind.idOf !== undefined && data.id !== undefined && data.id !== before.id)
        return problem(409, "Conflict", "ID provided in the payload does not match the url parameter");
      const id = before?.id ?? (kind.idOf === undefined ? org.ids.uuid() : kind.idOf(data.id));
      if (before === undefined && items.has(id)) return refused(409, `${id} already exists`);
      const attributes = kind.attributes(told, before?.attributes);
      if (typeof attributes === "string") return refuse(attributes);
      const relationships = kind.relationships?.(data.relationships ?? {}, before?.relationships);
      if (typeof relationships === "string") return refuse(relationships);
      const made = kind.made ?? (strict ? 201 : 200);
      return keep({ id, attributes, ...(relationships && { relationships }) }, before === undefined ? made : 200);
    });

  return {
    items,
    one,
    keep,
    routes: [
      get(path, (asked) => {
        const { shown, ...rest } = kind.list?.([...items.values()], asked) ?? { shown: [...items.values()] };
        const all = shown.map(describe);
        const included = all.flatMap((each) => each.included ?? []);
        return styled(ok({ data: all.map(({ data }) => data), ...includedWith(included), ...rest }));
      }),
      post(path, (asked) => change(asked, undefined)),
      get(
        `${path}/{item_id}`,
        one((item) => styled(ok(describe(item)))),
      ),
      (kind.changedBy === "PUT" ? put : patch)(
        `${path}/{item_id}`,
        one((item, asked) => change(asked, item)),
      ),
      del(
        `${path}/{item_id}`,
        one(({ id }) => {
          items.delete(id);
          return noContent;
        }),
      ),
    ],
  };
};

const includedWith = (all: readonly JsonObject[]): JsonObject => {
  const unique = new Map(all.map((each) => [`${textOf(each["type"])}/${textOf(each["id"])}`, each]));
  return unique.size === 0 ? {} : { included: [...unique.values()] };
};

/** The attributes of a request, or why they cannot be taken. */
const reading = <T extends z.ZodObject>(
  { type, told }: Collection<T>,
  data: z.infer<typeof envelope>["data"],
  partly: boolean,
): Partial<z.infer<T>> | string => {
  if (data.type !== type) return `got type "${data.type}" expected one of "${type}"`;
  const parsed = (partly ? told.partial() : told).safeParse(data.attributes);
  if (parsed.success) return parsed.data as Partial<z.infer<T>>;
  return parsed.error.issues.map(({ path, message }) => `attribute "${path.join(".")}" ${message}`).join("; ");
};
