/** Cases, v2: https://docs.datadoghq.com/api/latest/case-management/. Their types are in caseTypes.ts. */

import { z } from "zod";
import { type Answer, created, jsonApi, noContent, ok, problem } from "./answer.ts";
import type { Case } from "./documents.ts";
import { type JsonObject, loose, stated, textOf } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, type Asked, count, del, get, type Handler, post, type Route, slice } from "./route.ts";

const draft = z.object({
  data: loose({
    type: z.literal("case"),
    attributes: loose({
      title: z.string().min(1),
      type_id: z.string().min(1),
      description: z.string().optional(),
      priority: z.enum(["NOT_DEFINED", "P1", "P2", "P3", "P4", "P5"]).optional(),
    }),
    relationships: loose({ project: z.object({ data: loose({ id: z.string() }) }) }),
  }),
});

const statuses = {
  OPEN: ["SG_OPEN", "Open"],
  IN_PROGRESS: ["SG_IN_PROGRESS", "In Progress"],
  CLOSED: ["SG_CLOSED", "Closed"],
} as const;
const allStatuses =
  "NOT_STARTED, IN_PROGRESS, CLOSED, ACKNOWLEDGED, TRIGGERED, PENDING_APPROVAL, COMPLETED, CANCELLED, DECLINED, SUNKNOWN, OPEN, RESOLVED, APPROVED, IMPLEMENTING";

const path = "/api/v2/cases";
/** Of the kind that every organization has. */
const standard = "00000000-0000-0000-0000-000000000001";

type Told = { readonly type: string; readonly attributes: JsonObject };
const told = z.object({ data: loose({ type: z.string(), attributes: loose({}).optional() }) });

export const caseRoutes = (org: Organization): readonly Route[] => {
  const { cases } = org;
  const comments = org.room.shelf<string, { readonly of: string }>();
  const one =
    (handle: (found: Case, asked: Asked) => Answer): Handler =>
    (asked) => {
      const id = asked.params["case_id"] ?? "";
      const found = cases.get(id) ?? [...cases.values()].find((each) => each.key === id);
      return found === undefined ? unknown("case not found") : handle(found, asked);
    };
  const typed = (handle: (found: Case, told: Told, asked: Asked) => Answer): Handler =>
    one((found, asked) =>
      accept(asked, told, ({ data }) =>
        data.type === "case"
          ? handle(found, { type: data.type, attributes: data.attributes ?? {} }, asked)
          : problem(400, "Bad Request", `got type "${data.type}" expected one of "case"`),
      ),
    );
  const keep = (next: Case): Answer => {
    cases.set(next.id, next);
    return jsonApi(ok(answer(org, next)));
  };
  const change = (found: Case, attributes: JsonObject): Answer =>
    keep({ ...found, attributes: { ...found.attributes, ...attributes }, modified: org.clock() });
  /** `POST …/priority {"priority": "P3"}` and its like. */
  const setting = (name: string, from: (attributes: JsonObject) => JsonObject | Answer): Route =>
    post(
      `${path}/{case_id}/${name}`,
      typed((found, { attributes }) => {
        const next = from(attributes);
        return typeof next["status"] === "number" ? (next as Answer) : change(found, next);
      }),
    );

  return [
    get(path, (asked) => {
      const limit = count(asked, "page[size]", 10);
      const shown = slice([...cases.values()], { offset: count(asked, "page[number]", 0) * limit, limit });
      return jsonApi(ok({ data: shown.map((each) => describe(org, each)), meta: { page: { total: cases.size } } }));
    }),
    post(path, (asked) =>
      accept(asked, draft, ({ data }) => {
        const made = newCase(org, data.attributes, data.relationships.project.data.id);
        cases.set(made.id, made);
        return jsonApi(created(answer(org, made)));
      }),
    ),
    get(
      `${path}/{case_id}`,
      one((found) => jsonApi(ok(answer(org, found)))),
    ),
    setting("priority", ({ priority }) => stated({ priority })),
    setting("title", ({ title }) => stated({ title })),
    setting("description", ({ description }) => stated({ description })),
    setting("attributes", ({ attributes }) => stated({ attributes })),
    setting("status", ({ status }) => statusOf(textOf(status))),
    setting("archive", () => ({ archived_at: org.clock().toISOString() })),
    setting("unarchive", () => ({ archived_at: undefined })),
    setting("assign", ({ assignee_id: assignee }) => stated({ assignee })),
    setting("unassign", () => ({ assignee: undefined })),
    post(
      `${path}/{case_id}/custom_attributes/{key}`,
      typed((found, { attributes }, asked) => {
        const before = found.attributes["custom_attributes"] as JsonObject;
        return change(found, { custom_attributes: { ...before, [asked.params["key"] ?? ""]: attributes } });
      }),
    ),
    post(
      `${path}/{case_id}/comment`,
      typed((found, { attributes }) => {
        const id = org.ids.uuid();
        comments.set(id, { of: found.id });
        const number = Number(found.attributes["comment_count"]) + 1;
        cases.set(found.id, { ...found, attributes: { ...found.attributes, comment_count: number } });
        return jsonApi(ok({ data: [describeComment(org, id, textOf(attributes["comment"] ?? ""))] }));
      }),
    ),
    del(
      `${path}/{case_id}/comment/{cell_id}`,
      one((found, asked) => {
        const id = asked.params["cell_id"] ?? "";
        if (comments.get(id)?.of !== found.id) return unknown("timeline cell not found");
        comments.delete(id);
        return noContent;
      }),
    ),
  ];
};

export const unknown = (title: string): Answer =>
  jsonApi({ status: 404, body: { errors: [{ code: "resource_not_found", title }] } });

const statusOf = (status: string): JsonObject | Answer => {
  if (!allStatuses.split(", ").includes(status)) {
    const detail = `invalid status ${status}. Must be one of ${allStatuses}`;
    return jsonApi({ status: 400, body: { errors: [{ title: "Generic Error", detail }] } });
  }
  const [group, name] = statuses[status as keyof typeof statuses] ?? ["SG_OPEN", status];
  return { status, status_group: group, status_name: name };
};

const newCase = (org: Organization, wanted: z.infer<typeof draft>["data"]["attributes"], project: string): Case => {
  const id = org.ids.uuid();
  const number = org.ids.number("case", 5);
  return {
    id,
    key: `CASE-${number}`,
    project,
    created: org.clock(),
    modified: null,
    attributes: {
      attributes: {},
      comment_count: 0,
      creation_source: "MANUAL",
      custom_attributes: {},
      description: wanted.description ?? "",
      insights: [],
      internal_id: id,
      merge_status: "NOT_MERGED",
      priority: wanted.priority ?? "NOT_DEFINED",
      public_id: String(number),
      ...statusOf("OPEN"),
      title: wanted.title,
      type: wanted.type_id === standard ? "STANDARD" : "TUNKNOWN",
      type_id: wanted.type_id,
    },
  };
};

const describe = (org: Organization, { id, key, project, created, modified, attributes }: Case): JsonObject => {
  const { assignee, ...said } = attributes;
  const user = { data: { id: org.me.uuid, type: "user" } };
  return {
    id,
    type: "case",
    attributes: {
      ...said,
      key,
      created_at: created.toISOString(),
      ...(modified === null ? {} : { modified_at: modified.toISOString() }),
    },
    relationships: {
      ...(assignee === undefined ? {} : { assignee: { data: { id: assignee, type: "user" } } }),
      created_by: user,
      ...(modified === null ? {} : { modified_by: user }),
      project: { data: { id: project, type: "project" } },
    },
  };
};

const answer = (org: Organization, found: Case): JsonObject => {
  const { uuid, email, handle, name } = org.me;
  const included = [{ id: uuid, type: "user", attributes: { active: true, email, handle, name } }];
  return { data: describe(org, found), included };
};

const describeComment = ({ me, clock }: Organization, id: string, message: string): JsonObject => ({
  id,
  type: "timeline_cell",
  attributes: {
    author: { type: "USER", content: { ID: me.uuid, name: me.name, email: me.email, handle: me.handle, active: true } },
    cell_content: { message },
    content: JSON.stringify({ message }),
    created_at: clock().toISOString(),
    type: "COMMENT",
  },
});
