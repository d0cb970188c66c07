/** API and application keys through v1, which shows a key again and again, and takes it in the path: https://docs.datadoghq.com/api/latest/key-management/. */

import { z } from "zod";
import { ok } from "./answer.ts";
import type { Key } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import { apiKeysOf, appKeysOf, type KeyKind, newKey } from "./keys.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, del, get, looking, post, put, type Route } from "./route.ts";

const draft = loose({ name: z.string().min(1) });

export const oldKeyRoutes = (org: Organization): readonly Route[] => [
  ...routesOf(org, apiKeysOf(org), "/api/v1/api_key"),
  ...routesOf(org, appKeysOf(org), "/api/v1/application_key"),
];

const routesOf = (org: Organization, kind: KeyKind, path: string): readonly Route[] => {
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
    post(path, (asked) =>
      accept(asked, draft, (body) => ok({ [name]: show(newKey(org, kind, { name: body.name, owner: org.me.uuid })) })),
    ),
    get(
      `${path}/{key}`,
      one((key) => ok({ [name]: show(key) })),
    ),
    put(
      `${path}/{key}`,
      one((key, asked) =>
        accept(asked, draft, (body) => {
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
