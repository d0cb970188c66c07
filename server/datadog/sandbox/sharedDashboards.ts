/** Public links to dashboards: whoever knows the token sees the dashboard. https://docs.datadoghq.com/api/latest/dashboards/. */

import { z } from "zod";
import { created, noContent, ok, refused } from "./answer.ts";
import type { Dashboard, SharedDashboard } from "./documents.ts";
import { type Json, type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, count, del, get, looking, post, put, type Route, slice } from "./route.ts";
import { stamp } from "./time.ts";

const share = loose({
  dashboard_id: z.string(),
  dashboard_type: z.enum(["custom_timeboard", "custom_screenboard"]),
  share_type: z.enum(["open", "invite", "embed", "secure-embed"]).nullish(),
  share_list: z.array(z.string()).nullish(),
});
const shareChange = share.omit({ dashboard_id: true, dashboard_type: true });

const invited = z.object({
  type: z.literal("public_dashboard_invitation"),
  attributes: loose({ email: z.string().includes("@") }),
});
const invitation = z.object({ data: z.union([invited, z.array(invited).min(1)]) });

type Invitation = JsonObject & { readonly attributes: JsonObject & { readonly email: string } };

export const sharedDashboardRoutes = (org: Organization): readonly Route[] => {
  const { sharedDashboards } = org;
  const invitations = org.room.shelf<string, readonly Invitation[]>();
  const one = looking(
    (asked) => sharedDashboards.get(asked.params["token"] ?? ""),
    () => "Shared dashboard not found",
  );
  return [
    post("/api/v1/dashboard/public", (asked) =>
      accept(asked, share, (body) => {
        const dashboard = org.dashboards.get(body.dashboard_id);
        if (dashboard === undefined) return refused(404, `${body.dashboard_type} ${body.dashboard_id} not found`);
        const shared = createShared(org, body, dashboard);
        sharedDashboards.set(shared.token, shared);
        return ok(shared);
      }),
    ),
    get(
      "/api/v1/dashboard/public/{token}",
      one((shared) => ok(shared)),
    ),
    put(
      "/api/v1/dashboard/public/{token}",
      one((shared, asked) =>
        accept(asked, shareChange, (body) => {
          const { token, dashboard_id, invitees: before } = shared;
          const next = { ...shared, ...body, ...listed(org, body, before), token, dashboard_id };
          sharedDashboards.set(shared.token, next);
          return ok(next);
        }),
      ),
    ),
    del(
      "/api/v1/dashboard/public/{token}",
      one(({ token }) => {
        sharedDashboards.delete(token);
        invitations.delete(token);
        return ok({ deleted_public_dashboard_token: token });
      }),
    ),
    get(
      "/api/v1/dashboard/public/{token}/invitation",
      one(({ token }, asked) => {
        const sent = invitations.get(token) ?? [];
        const limit = count(asked, "page_size", 10);
        const shown = slice(sent, { offset: count(asked, "page_number", 0) * limit, limit });
        return ok({ data: shown, meta: { page: { total_count: sent.length } } });
      }),
    ),
    post(
      "/api/v1/dashboard/public/{token}/invitation",
      one(({ token }, asked) =>
        accept(asked, invitation, ({ data }) => {
          const sent = [data].flat().map(({ attributes }) => invite(org, token, attributes.email));
          const before = invitations.get(token) ?? [];
          invitations.set(token, [...before, ...sent]);
          return created({ data: Array.isArray(data) ? sent : sent[0] });
        }),
      ),
    ),
    del(
      "/api/v1/dashboard/public/{token}/invitation",
      one(({ token }, asked) =>
        accept(asked, invitation, ({ data }) => {
          const emails = new Set([data].flat().map(({ attributes }) => attributes.email));
          const kept = (invitations.get(token) ?? []).filter(({ attributes }) => !emails.has(attributes.email));
          invitations.set(token, kept);
          return noContent;
        }),
      ),
    ),
  ];
};

/** An invitation is good for an hour. */
const invite = (org: Organization, token: string, email: string): Invitation => {
  const now = org.clock();
  return {
    type: "public_dashboard_invitation",
    attributes: {
      email,
      share_token: token,
      created_at: stamp(now),
      invitation_expiry: stamp(new Date(now.getTime() + 3_600_000)),
      has_session: false,
      session_expiry: null,
    },
  };
};

/** Who may come, where only those may who are invited: whoever shares it is among them. */
const listed = (org: Organization, body: z.infer<typeof shareChange>, before: Json | undefined): JsonObject => {
  if (body.share_list == null || (body.share_type !== undefined && body.share_type !== "invite")) return {};
  const share_list = [...new Set([org.me.email, ...body.share_list])];
  const known = (Array.isArray(before) ? before : []) as readonly JsonObject[];
  const created_at = stamp(org.clock());
  return {
    share_list,
    session_duration_in_days: 30,
    invitees: share_list.map(
      (email) =>
        known.find((each) => each["email"] === email) ?? {
          email,
          access_expiration: null,
          last_accessed: null,
          created_at,
        },
    ),
  };
};

const createShared = (org: Organization, body: z.infer<typeof share>, dashboard: Dashboard): SharedDashboard => {
  const token = `${org.ids.word(16)}-${org.ids.hex(32)}`;
  return {
    viewing_preferences: {},
    expiration: null,
    last_accessed: null,
    global_time_selectable_enabled: false,
    global_time: { live_span: "1h" },
    selectable_template_vars: null,
    share_list: null,
    session_duration_in_days: null,
    invitees: [],
    embeddable_domains: [],
    ...body,
    ...listed(org, body, []),
    author: { handle: org.me.handle, name: org.me.name },
    status: "active",
    title: dashboard.title,
    token,
    public_url: `https://p.datadoghq.com/sb/${token}`,
    created: stamp(org.clock()),
    share_type: body.share_type ?? "open",
  };
};
