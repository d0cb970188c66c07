/** Check runs, workflow runs and jobs. */

import { z } from "zod";
import type { CheckChange } from "../checks.ts";
import { checkJson, jobJson, runJson } from "../json/check.ts";
import { conclusions, type CheckRun } from "../state.ts";
import { inRepository } from "./handler.ts";
import type { OperationId } from "./operations.ts";
import { authorOf } from "./permit.ts";
import { type Reply, type RepositoryCall, invalid, notFound, ok, refusal } from "./reply.ts";

/** GitHub's limits, in characters. */
const text = z.string().max(65_535);

const action = z.object({
  label: z.string().min(1).max(20),
  description: z.string().min(1).max(40),
  identifier: z.string().min(1).max(20),
});

const fields = {
  details_url: z.url({ protocol: /^https?$/ }),
  external_id: z.string(),
  status: z.enum(["queued", "in_progress", "completed"]),
  conclusion: z.enum(conclusions),
  started_at: z.iso.datetime({ offset: true }),
  completed_at: z.iso.datetime({ offset: true }),
  output: z.object({ title: z.string(), summary: text, text: text.optional() }),
  actions: z.array(action).max(3),
};

const newCheck = z
  .object({ name: z.string().min(1), head_sha: z.string(), ...fields })
  .partial()
  .required({ name: true, head_sha: true });

const changedCheck = z
  .object({ name: z.string().min(1), ...fields, output: fields.output.partial({ title: true }) })
  .partial();

export const checkHandlers = {
  "checks/create": inRepository((call) => {
    const asked = newCheck.safeParse(call.body);
    if (!asked.success) return refuseField(asked.error);
    const { name, head_sha } = asked.data;
    if (call.caller.kind === "user") return refusal(403, "You must authenticate via a GitHub App.");
    if (call.world.pulls.commit(call.repository, head_sha) === null)
      return refusal(422, `No commit found for SHA: ${head_sha}`);
    const { app } = authorOf(call.world, call.caller);
    const check = call.world.checks.create(call.repository, { ...changeOf(asked.data), app, name, head_sha });
    return { status: 201, body: checkJson(call.world, check) };
  }),
  "checks/get": inRepository((call) => withCheck(call, (check) => ok(checkJson(call.world, check)))),
  "checks/update": inRepository((call) =>
    withCheck(call, (check) => {
      const asked = changedCheck.safeParse(call.body);
      if (!asked.success) return refuseField(asked.error);
      const { app } = authorOf(call.world, call.caller);
      if (app !== check.app || call.caller.kind === "user")
        return refusal(
          403,
          `Invalid app_id \`${app.id}\` - check run can only be modified by the GitHub App that created it.`,
        );
      call.world.checks.update(check, changeOf(asked.data));
      return ok(checkJson(call.world, check));
    }),
  ),
  "actions/get-workflow-run": inRepository(({ world, repository, params }) => {
    const run = world.runs.find(repository, Number(params["run_id"]));
    return run === null ? notFound : ok(runJson(world, run));
  }),
  "actions/get-job-for-workflow-run": inRepository(({ world, repository, params }) => {
    const id = Number(params["job_id"]);
    const run = world.runs.ofJob(repository, id);
    const job = run?.jobs.find((each) => each.id === id);
    return run === null || job === undefined ? notFound : ok(jobJson(world, run, job));
  }),
} as const satisfies Partial<Record<OperationId, unknown>>;

function changeOf(asked: z.output<typeof changedCheck>): CheckChange {
  const { name, external_id, details_url, status, conclusion, started_at, completed_at, output, actions } = asked;
  return {
    ...(name === undefined ? {} : { name }),
    ...(external_id === undefined ? {} : { external_id }),
    ...(details_url === undefined ? {} : { details_url }),
    ...(status === undefined ? {} : { status }),
    ...(conclusion === undefined ? {} : { conclusion }),
    ...(started_at === undefined ? {} : { started_at: new Date(started_at) }),
    ...(completed_at === undefined ? {} : { completed_at: new Date(completed_at) }),
    ...(output === undefined
      ? {}
      : { output: { title: output.title ?? null, summary: output.summary, text: output.text ?? null } }),
    ...(actions === undefined ? {} : { actions }),
  };
}

const refuseField = ({ issues: [first] }: z.ZodError): Reply =>
  invalid("CheckRun", first?.path.join(".") ?? "name", first === undefined ? {} : { message: first.message });

function withCheck({ world, repository, params }: RepositoryCall, then: (check: CheckRun) => Reply): Reply {
  const check = world.checks.find(repository, Number(params["check_run_id"]));
  return check === null ? notFound : then(check);
}
