/**
 * API and application keys, v2: https://docs.datadoghq.com/api/latest/key-management/. A key is shown once, when it is made.
 * Application keys belong to somebody: to whoever makes them, or to a service account.
 */

import { z } from "zod";
import { created, noContent, ok, refused } from "./answer.ts";
import type { Key } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, type Handler, looking, patch, post, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

export type KeyKind = {
  readonly type: "api_keys" | "application_keys";
  readonly shelf: Map<string, Key>;
  /** Characters of the key, all hexadecimal. */
  readonly length: 32 | 40;
  readonly missing: string;
};

/** Keys as one path shows them. */
type View = {
  readonly kind: KeyKind;
  readonly path: string;
  /** Whose keys are meant, where the path says it; their owner is not said again then. */
  readonly owner?: (asked: Asked) => string | undefined;
};

const attributes = loose({ name: z.string().min(1), scopes: z.array(z.string()).nullish() });

const draftOf = (kind: KeyKind) => z.object({ data: loose({ type: z.literal(kind.type), attributes }) });
const changeOf = (kind: KeyKind) =>
  z.object({ data: loose({ type: z.literal(kind.type), id: z.string(), attributes: attributes.partial() }) });

export const apiKeysOf = (org: Organization): KeyKind => ({
  type: "api_keys",
  shelf: org.apiKeys,
  length: 32,
  missing: "API key not found",
});

export const appKeysOf = (org: Organization): KeyKind => ({
  type: "application_keys",
  shelf: org.appKeys,
  length: 40,
  missing: "Application key not found",
});

export const keyRoutes = (org: Organization): readonly Route[] => {
  const kind = appKeysOf(org);
  const account = (asked: Asked): string | undefined => {
    const person = org.people.get(asked.params["service_account_id"] ?? "");
    return person?.service_account === true ? person.uuid : undefined;
  };
  return [
    ...routesOf(org, { kind: apiKeysOf(org), path: "/api/v2/api_keys" }),
    ...routesOf(org, { kind, path: "/api/v2/application_keys" }),
    ...routesOf(org, { kind, path: "/api/v2/current_user/application_keys", owner: () => org.me.uuid }),
    ...routesOf(org, {
      kind,
      path: "/api/v2/service_accounts/{service_account_id}/application_keys",
      owner: account,
    }),
  ];
};

const routesOf = (org: Organization, view: View): readonly Route[] => {
  const { kind, path, owner } = view;
  const { shelf } = kind;
  const change = changeOf(kind);
  const belongs = (key: Key, asked: Asked): boolean => owner === undefined || key.owner === owner(asked);
  const find = (asked: Asked): Key | undefined => {
    const key = shelf.get(asked.params["key_id"] ?? "");
    return key !== undefined && belongs(key, asked) ? key : undefined;
  };
  const one = looking(find, () => kind.missing);
  const owned =
    (handle: Handler): Handler =>
    (asked) =>
      owner === undefined || owner(asked) !== undefined ? handle(asked) : refused(404, "Service account not found");

  return [
    get(
      path,
      owned((asked) => {
        const text = asked.query.get("filter") ?? "";
        const found = [...shelf.values()].filter((key) => key.name.includes(text) && belongs(key, asked));
        const size = count(asked, "page[size]", 10);
        const page = { offset: count(asked, "page[number]", 0) * size, limit: size };
        return ok({
          data: slice(found, page).map((key) => describe(view, key)),
          meta: {
            page: { total_filtered_count: found.length },
            [owner === undefined ? "max_allowed" : "max_allowed_per_user"]: 1000,
          },
        });
      }),
    ),
    post(
      path,
      owned((asked) =>
        accept(asked, draftOf(kind), ({ data }) => {
          const key = newKey(org, kind, { ...data.attributes, owner: owner?.(asked) ?? org.me.uuid });
          return created({ data: describeNew(kind, key) });
        }),
      ),
    ),
    get(
      `${path}/{key_id}`,
      one((key) => ok({ data: describe(view, key) })),
    ),
    patch(
      `${path}/{key_id}`,
      one((key, asked) =>
        accept(asked, change, ({ data }) => {
          if (data.id !== key.id) return refused(400, "The id of the body is not the id of the path");
          const { name = key.name, scopes = key.scopes } = data.attributes;
          const next = { ...key, name, scopes, modified: org.clock() };
          shelf.set(key.id, next);
          return ok({ data: describe(view, next) });
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

type Wanted = { readonly name: string; readonly scopes?: readonly string[] | null | undefined; readonly owner: string };

export const newKey = (org: Organization, kind: KeyKind, { name, scopes = null, owner }: Wanted): Key => {
  const now = org.clock();
  const key: Key = {
    id: org.ids.uuid(),
    key: org.ids.hex(kind.length),
    name,
    created: now,
    modified: now,
    scopes,
    owner,
  };
  kind.shelf.set(key.id, key);
  return key;
};

/** The only answer of the v2 API with the key in it. */
const describeNew = (kind: KeyKind, key: Key): JsonObject => {
  const { id, type, attributes, relationships } = describe({ kind, path: "" }, key);
  const { last_used_at: _, ...rest } = attributes as JsonObject;
  return { type, id, attributes: { ...rest, key: key.key }, relationships };
};

const describe = ({ kind: { type }, owner: viewed }: View, key: Key): JsonObject => {
  const owner = { data: { type: "users", id: key.owner } };
  const common = { name: key.name, created_at: stamp(key.created), last4: key.key.slice(-4) };
  return {
    type,
    id: key.id,
    attributes:
      type === "api_keys"
        ? { ...common, modified_at: stamp(key.modified) }
        : { ...common, scopes: key.scopes, last_used_at: null },
    relationships: {
      ...(type === "api_keys" ? { created_by: owner, modified_by: owner } : viewed ? {} : { owned_by: owner }),
      leak_information: { data: null },
    },
  };
};
