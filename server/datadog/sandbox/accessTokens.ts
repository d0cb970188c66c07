/**
 * Access tokens of people and of service accounts: https://docs.datadoghq.com/api/latest/key-management/. Like a key, a token is
 * shown once. A revoked one may be revoked again.
 */

import { z } from "zod";
import { created, jsonApi, noContent, ok, refused } from "./answer.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, type Handler, looking, patch, post, type Route, slice } from "./route.ts";

type Token = {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly public_portion: string;
  readonly created: Date;
  readonly modified: Date | null;
  readonly expires: Date | null;
  readonly revoked: boolean;
};

type Kind = {
  readonly type: "personal_access_tokens" | "service_access_tokens";
  readonly path: string;
  readonly prefix: string;
  readonly ownerType: "users" | "service_account";
  readonly owner: (asked: Asked) => string | undefined;
};

const attributes = loose({
  name: z.string().min(1),
  scopes: z.array(z.string()).min(1),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
});

export const accessTokenRoutes = (org: Organization): readonly Route[] => [
  ...routesOf(org, {
    type: "personal_access_tokens",
    path: "/api/v2/personal_access_tokens",
    prefix: "ddpat",
    ownerType: "users",
    owner: () => org.me.uuid,
  }),
  ...routesOf(org, {
    type: "service_access_tokens",
    path: "/api/v2/service_accounts/{service_account_id}/access_tokens",
    prefix: "ddsat",
    ownerType: "service_account",
    owner: (asked) => {
      const person = org.people.get(asked.params["service_account_id"] ?? "");
      return person?.service_account === true ? person.uuid : undefined;
    },
  }),
];

const routesOf = (org: Organization, kind: Kind): readonly Route[] => {
  const { type, path } = kind;
  const tokens = org.room.shelf<string, Token>();
  const draft = z.object({ data: loose({ type: z.literal(type), attributes }) });
  const change = z.object({ data: loose({ type: z.literal(type), id: z.string(), attributes: attributes.partial() }) });
  const find = (asked: Asked): Token | undefined => {
    const token = tokens.get(asked.params["token_id"] ?? "");
    return token?.owner === kind.owner(asked) ? token : undefined;
  };
  const known = looking(find, () => "Access token not found");
  const one = looking(
    (asked) => (find(asked)?.revoked === false ? find(asked) : undefined),
    () => "Access token not found",
  );
  const owned =
    (handle: (owner: string, asked: Asked) => ReturnType<Handler>): Handler =>
    (asked) => {
      const owner = kind.owner(asked);
      return owner === undefined ? refused(404, "Service account not found") : handle(owner, asked);
    };

  return [
    get(
      path,
      owned((owner, asked) => {
        const text = asked.query.get("filter") ?? "";
        const found = [...tokens.values()].filter(
          (token) => token.owner === owner && !token.revoked && token.name.includes(text),
        );
        const limit = count(asked, "page[size]", 10);
        const shown = slice(found, { offset: count(asked, "page[number]", 0) * limit, limit });
        return jsonApi(
          ok({
            data: shown.map((token) => describe(kind, token)),
            meta: { page: { total_filtered_count: found.length } },
          }),
        );
      }),
    ),
    post(
      path,
      owned((owner, asked) =>
        accept(asked, draft, ({ data: { attributes: wanted } }) => {
          const portion = `${kind.prefix}_${org.ids.word(22)}`;
          const token: Token = {
            id: org.ids.uuid(),
            owner,
            name: wanted.name,
            scopes: wanted.scopes,
            public_portion: portion,
            created: org.clock(),
            modified: null,
            expires: wanted.expires_at == null ? null : new Date(wanted.expires_at),
            revoked: false,
          };
          tokens.set(token.id, token);
          return jsonApi(created({ data: describeNew(kind, token, `${portion}_${org.ids.word(36)}`) }));
        }),
      ),
    ),
    get(
      `${path}/{token_id}`,
      one((token) => jsonApi(ok({ data: describe(kind, token) }))),
    ),
    patch(
      `${path}/{token_id}`,
      one((token, asked) =>
        accept(asked, change, ({ data: { attributes: wanted } }) => {
          const { name = token.name, scopes = token.scopes } = wanted;
          const next = { ...token, name, scopes, modified: org.clock() };
          tokens.set(token.id, next);
          return jsonApi(ok({ data: describe(kind, next) }));
        }),
      ),
    ),
    del(
      `${path}/{token_id}`,
      known((token) => {
        tokens.set(token.id, { ...token, revoked: true });
        return noContent;
      }),
    ),
  ];
};

/** The only answer with the token in it. */
const describeNew = (kind: Kind, token: Token, key: string): JsonObject => {
  const { id, type, attributes: said, relationships } = describe(kind, token);
  const { last_used_at: _, ...rest } = said as JsonObject;
  return { id, type, attributes: { ...rest, key }, relationships };
};

const describe = ({ type, ownerType }: Kind, token: Token): JsonObject => ({
  id: token.id,
  type,
  attributes: {
    created_at: token.created.toISOString(),
    expires_at: token.expires?.toISOString() ?? null,
    last_used_at: null,
    ...(token.modified === null ? {} : { modified_at: token.modified.toISOString() }),
    name: token.name,
    public_portion: token.public_portion,
    scopes: token.scopes,
  },
  relationships: { owned_by: { data: { id: token.owner, type: ownerType } } },
});
