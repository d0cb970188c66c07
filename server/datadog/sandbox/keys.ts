/**
 * API and application keys: https://docs.datadoghq.com/api/latest/key-management/. The v2 API shows a key once, when it is
 * made; the v1 API shows it again and again, and takes it in the path.
 */

import { z } from "zod";
import { created, noContent, ok } from "./answer.ts";
import type { Key } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, looking, patch, post, put, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

type Kind = {
  readonly type: "api_keys" | "application_keys";
  readonly shelf: Map<string, Key>;
  /** Characters of the key, all hexadecimal. */
  readonly length: 32 | 40;
  readonly missing: string;
};

const attributes = loose({ name: z.string().min(1), scopes: z.array(z.string()).nullish() });

const draftOf = (kind: Kind) => z.object({ data: loose({ type: z.literal(kind.type), attributes }) });
const changeOf = (kind: Kind) =>
  z.object({ data: loose({ type: z.literal(kind.type), id: z.string(), attributes: attributes.partial() }) });

const oldDraft = loose({ name: z.string().min(1) });

export const keyRoutes = (org: Organization): readonly Route[] => {
  const api: Kind = { type: "api_keys", shelf: org.apiKeys, length: 32, missing: "API key not found" };
  const app: Kind = {
    type: "application_keys",
    shelf: org.appKeys,
    length: 40,
    missing: "Application key not found",
  };
  return [
    ...routesOf(org, api, "/api/v2/api_keys"),
    ...routesOf(org, app, "/api/v2/application_keys"),
    // All keys of this organization belong to the one person.
    ...routesOf(org, app, "/api/v2/current_user/application_keys"),
    ...oldRoutes(org, api, "/api/v1/api_key"),
    ...oldRoutes(org, app, "/api/v1/application_key"),
  ];
};

const routesOf = (org: Organization, kind: Kind, path: string): readonly Route[] => {
  const { shelf } = kind;
  const draft = draftOf(kind);
  const change = changeOf(kind);
  const one = looking(
    (asked) => shelf.get(asked.params["key_id"] ?? ""),
    () => kind.missing,
  );
  return [
    get(path, (asked) => {
      const found = [...shelf.values()].filter(({ name }) => name.includes(asked.query.get("filter") ?? ""));
      const size = count(asked, "page[size]", 10);
      const page = { offset: count(asked, "page[number]", 0) * size, limit: size };
      return ok({
        data: slice(found, page).map((key) => describe(org, kind, key)),
        meta: { page: { total_filtered_count: found.length }, max_allowed: 1000 },
      });
    }),
    post(path, (asked) => accept(asked, draft, ({ data }) => created(createKey(org, kind, data.attributes)))),
    get(
      `${path}/{key_id}`,
      one((key) => ok({ data: describe(org, kind, key) })),
    ),
    patch(
      `${path}/{key_id}`,
      one((key, asked) =>
        accept(asked, change, ({ data: { attributes } }) => {
          const { name = key.name, scopes = key.scopes } = attributes;
          const next = { ...key, name, scopes, modified: org.clock() };
          shelf.set(key.id, next);
          return ok({ data: describe(org, kind, next) });
        }),
      ),
    ),
    del(
      `${path}/{key_id}`,
      one(({ id }) => {
        shelf.delete(id);
        return noContent;
      }),
    ),
  ];
};

const newKey = (org: Organization, kind: Kind, wanted: z.infer<typeof attributes>): Key => {
  const now = org.clock();
  const key: Key = {
    id: org.ids.uuid(),
    key: org.ids.hex(kind.length),
    name: wanted.name,
    created: now,
    modified: now,
    scopes: wanted.scopes ?? null,
  };
  kind.shelf.set(key.id, key);
  return key;
};

/** The only answer of the v2 API with the key in it. */
const createKey = (org: Organization, kind: Kind, wanted: z.infer<typeof attributes>): JsonObject => {
  const key = newKey(org, kind, wanted);
  const data = describe(org, kind, key);
  return { data: { ...data, attributes: { ...(data["attributes"] as JsonObject), key: key.key } } };
};

const describe = (org: Organization, { type }: Kind, key: Key): JsonObject => {
  const owner = { data: { type: "users", id: org.me.uuid } };
  const common = { name: key.name, created_at: stamp(key.created), last4: key.key.slice(-4) };
  return {
    type,
    id: key.id,
    attributes:
      type === "api_keys"
        ? { ...common, modified_at: stamp(key.modified) }
        : { ...common, scopes: key.scopes, last_used_at: null },
    relationships: {
      ...(type === "api_keys" ? { created_by: owner, modified_by: owner } : { owned_by: owner }),
      leak_information: { data: null },
    },
  };
};

const oldRoutes = (org: Organization, kind: Kind, path: string): readonly Route[] => {
  const name = kind.type === "api_keys" ? "api_key" : "application_key";
  const byKey = (asked: Asked): Key | undefined =>
    [...kind.shelf.values()].find(({ key }) => key === asked.params["key"]);
  const one = looking(byKey, () => kind.missing);
  const show = (key: Key): JsonObject =>
    kind.type === "api_keys"
      ? { key: key.key, name: key.name, created: oldTime(key.created), created_by: org.me.handle }
      : { hash: key.key, name: key.name, owner: org.me.handle };
  return [
    get(path, () => ok({ [`${name}s`]: [...kind.shelf.values()].map(show) })),
    post(path, (asked) => accept(asked, oldDraft, (body) => ok({ [name]: show(newKey(org, kind, body)) }))),
    get(
      `${path}/{key}`,
      one((key) => ok({ [name]: show(key) })),
    ),
    put(
      `${path}/{key}`,
      one((key, asked) =>
        accept(asked, oldDraft, (body) => {
          const next = { ...key, name: body.name, modified: org.clock() };
          kind.shelf.set(key.id, next);
          return ok({ [name]: show(next) });
        }),
      ),
    ),
    del(
      `${path}/{key}`,
      one((key) => {
        kind.shelf.delete(key.id);
        return ok({ [name]: show(key) });
      }),
    ),
  ];
};

/** `2019-08-02 15:31:07` */
const oldTime = (at: Date): string => at.toISOString().slice(0, 19).replace("T", " ");
