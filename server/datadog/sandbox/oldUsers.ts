/** Users through the deprecated v1 API, by handle: https://docs.datadoghq.com/api/latest/users/. */

import { z } from "zod";
import { ok, refused } from "./answer.ts";
import type { Person } from "./documents.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { createPerson } from "./people.ts";
import { iconOf } from "./profiles.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";

const accessRole = z.enum(["st", "adm", "ro", "ERROR"]).nullish();

const draft = loose({
  handle: z.string().includes("@"),
  email: z.string().includes("@").optional(),
  name: z.string().nullish(),
  access_role: accessRole,
});

const change = loose({
  email: z.string().includes("@").optional(),
  name: z.string().nullish(),
  disabled: z.boolean().optional(),
  access_role: accessRole,
});

export const oldUserRoutes = (org: Organization): readonly Route[] => {
  const { people } = org;
  const byHandle = (handle: string | undefined): Person | undefined =>
    [...people.values()].find((each) => each.handle === handle?.toLowerCase());
  const one = looking(
    (asked) => byHandle(asked.params["user_handle"]),
    () => "User not found",
  );

  return [
    get("/api/v1/user", () => ok({ users: [...people.values()].map(describe) })),
    post("/api/v1/user", (asked) =>
      accept(asked, draft, ({ handle, email = handle, name }) => {
        if (byHandle(handle) !== undefined) return refused(409, "User already exists");
        const invited = createPerson(
          org,
          { data: { type: "users", attributes: { email, name } } },
          { handle: handle.toLowerCase(), verified: false, service_account: false },
        );
        return typeof invited === "string" ? refused(400, invited) : ok({ user: describe(invited) });
      }),
    ),
    get(
      "/api/v1/user/{user_handle}",
      one((someone) => ok({ user: describe(someone) })),
    ),
    put(
      "/api/v1/user/{user_handle}",
      one((someone, asked) =>
        accept(asked, change, ({ name = someone.name, email = someone.email, disabled = someone.disabled }) => {
          const next = { ...someone, name, email, disabled, modified: org.clock() };
          people.set(next.uuid, next);
          return ok({ user: describe(next) });
        }),
      ),
    ),
    del(
      "/api/v1/user/{user_handle}",
      one((someone) => {
        if (someone.disabled) return refused(400, "User is already disabled");
        if (someone.uuid === org.me.uuid) return refused(403, "You cannot disable yourself");
        people.set(someone.uuid, { ...someone, disabled: true, modified: org.clock() });
        return ok({ message: `User ${someone.handle} disabled` });
      }),
    ),
  ];
};

const describe = (person: Person): JsonObject => ({
  handle: person.handle,
  name: person.name,
  email: person.email,
  title: person.title,
  role: null,
  access_role: "st",
  is_admin: false,
  disabled: person.disabled,
  verified: person.verified,
  icon: iconOf(person),
});
