/** JSON:API resources that are created, read, changed and deleted alike; each says in its own file what it is made of. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok, problem, refused } from "./answer.ts";
import { anything, type JsonObject } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, looking, patch, post, put, type Route } from "./route.ts";

export type Item = { readonly id: string; readonly attributes: JsonObject };

export type Collection<T extends z.ZodObject> = {
  /** `/api/v2/powerpacks`; an item's id follows. */
  readonly path: string;
  readonly type: string;
  /** What a request's attributes must be to make one. */
  readonly told: T;
  /** What becomes of them; `before` is there when one is changed. A string refuses. */
  readonly attributes: (told: Partial<z.infer<T>>, before: JsonObject | undefined) => JsonObject | string;
  /** From the id that a request asks for; a new UUID when left out. */
  readonly idOf?: (wanted: string) => string;
  readonly changedBy: "PUT" | "PATCH";
  readonly missing: (id: string) => string;
  /** A service that names JSON:API: 201, problems with title and detail, types and ids compared. */
  readonly strict?: boolean;
  /** The whole answer about one, where that is more than its attributes. */
  readonly describe?: (item: Item) => { readonly data: JsonObject; readonly included?: readonly JsonObject[] };
};

const envelope = z.object({
  data: z.object({
    type: z.string(),
    id: z.string().optional(),
    attributes: z.record(z.string(), anything),
  }),
});

export type Shelved = { readonly items: Map<string, Item>; readonly routes: readonly Route[] };

export const collect = <T extends z.ZodObject>(org: Organization, kind: Collection<T>): Shelved => {
  const { path, strict = false } = kind;
  const items = org.room.shelf<string, Item>();
  const describe = kind.describe ?? ((item) => ({ data: { type: kind.type, ...item } }));
  const styled = (answer: Answer): Answer => (strict ? jsonApi(answer) : answer);
  const one = (handle: (item: Item, asked: Asked) => Answer) => (asked: Asked) => {
    const id = asked.params["item_id"] ?? "";
    if (strict && !items.has(id)) return problem(404, "Not Found", kind.missing(id));
    return looking(
      () => items.get(id),
      () => kind.missing(id),
    )(handle)(asked);
  };
  const keep = (item: Item, answer: (body: JsonObject) => Answer): Answer => {
    items.set(item.id, item);
    return styled(answer(describe(item)));
  };

  return {
    items,
    routes: [
      get(path, () => {
        const all = [...items.values()].map(describe);
        return styled(
          ok({ data: all.map(({ data }) => data), ...includedWith(all.flatMap((each) => each.included ?? [])) }),
        );
      }),
      post(path, (asked) =>
        accept(asked, envelope, ({ data }) => {
          const read = reading(kind, data, kind.told);
          if ("status" in read) return read;
          const id = data.id === undefined || kind.idOf === undefined ? org.ids.uuid() : kind.idOf(data.id);
          if (items.has(id))
            return strict ? problem(409, "Conflict", `${id} already exists`) : refused(409, `${id} already exists`);
          const attributes = kind.attributes(read.told, undefined);
          if (typeof attributes === "string") return refused(400, attributes);
          return keep({ id, attributes }, strict ? created : ok);
        }),
      ),
      get(
        `${path}/{item_id}`,
        one((item) => styled(ok(describe(item)))),
      ),
      (kind.changedBy === "PUT" ? put : patch)(
        `${path}/{item_id}`,
        one((item, asked) =>
          accept(asked, envelope, ({ data }) => {
            const read = reading(kind, data, kind.changedBy === "PUT" ? kind.told : kind.told.partial());
            if ("status" in read) return read;
            if (strict && data.id !== undefined && data.id !== item.id)
              return problem(409, "Conflict", "ID provided in the payload does not match the url parameter");
            const attributes = kind.attributes(read.told, item.attributes);
            return typeof attributes === "string" ? refused(400, attributes) : keep({ ...item, attributes }, ok);
          }),
        ),
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
  const unique = new Map(all.map((each) => [`${String(each["type"])}/${String(each["id"])}`, each]));
  return unique.size === 0 ? {} : { included: [...unique.values()] };
};

/** The attributes of a request, or why they cannot be taken. */
const reading = <T extends z.ZodObject>(
  { type, strict = false }: Collection<T>,
  data: z.infer<typeof envelope>["data"],
  schema: z.ZodType,
): { readonly told: Partial<z.infer<T>> } | Answer => {
  if (data.type !== type)
    return strict
      ? problem(400, "Bad Request", `got type "${data.type}" expected one of "${type}"`)
      : refused(400, `Invalid type '${data.type}'`);
  const parsed = schema.safeParse(data.attributes);
  if (parsed.success) return { told: parsed.data as Partial<z.infer<T>> };
  const reasons = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  return strict ? problem(400, "Bad Request", reasons.join("; ")) : refused(400, ...reasons);
};
