/** The pages on which whoever holds an access token of role admin makes the GitHub App, sees where it is installed, and tries it. */

import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  beginSetup,
  createdPath,
  finishSetup,
  installedPath,
  isSetupRefusal,
  type SetupParts,
} from "../journeys/setup.ts";
import { holderName } from "../journeys/tokenSignIn.ts";
import { GitHubFailure } from "../model/github.ts";
import { type AppInstallation, installAddress, type PullName, pullName, type Trial } from "../model/gitHubApp.ts";
import type { Html } from "../web/html.ts";
import {
  adminsOnlyPage,
  complaintOf,
  createdPage,
  departurePage,
  installedPage,
  setupPage,
  setupRefusedPage,
  trialOutcome,
} from "../web/setup.ts";
import { signInPage } from "../web/signIn.ts";
import { type Asked, type FrameParts, frameOf, sendPage, strictPolicy } from "./page.ts";
import { notOurForm } from "./signIn.ts";

/** What is asked of an App that is there. Every method throws `GitHubFailure`. */
export interface AppOnTrial {
  installUrl(): Promise<string>;
  installations(): Promise<readonly AppInstallation[]>;
  comment(pull: PullName): Promise<Trial>;
}

export type SetupPagesParts = FrameParts & {
  readonly setup: SetupParts;
  /** The App that this gateway uses, or would after its next start; null when there is none. */
  app(): { readonly appId: string; readonly trial: AppOnTrial } | null;
  /** The GitHub whose jobs come here, `https://github.com`. */
  readonly web: string;
};

const limited = { config: { rateLimit: { max: 30, timeWindow: 60_000 } } };
/** ms */
const awayFor = 60 * 60_000;

export function registerSetupPages(app: FastifyInstance, parts: SetupPagesParts): void {
  app.get("/setup/github", (request, reply) =>
    toAdmin(parts, { request, reply }, (form) => setupPage(formOf(parts, form), null)),
  );
  app.post("/setup/github", limited, (request, reply) => depart(parts, { request, reply }));
  app.get(createdPath, limited, (request, reply) => arrive(parts, { request, reply }));
  app.get(installedPath, limited, (request, reply) =>
    toAdmin(parts, { request, reply }, (form) => whereInstalled(parts, form, null)),
  );
  app.post("/setup/github/verify", limited, (request, reply) => verify(parts, { request, reply }));
}

const formOf = (parts: SetupPagesParts, form: string) => ({
  action: "/setup/github",
  form,
  web: parts.web,
  name: `Dogwatch ${new URL(parts.setup.publicUrl).hostname}`.slice(0, 34),
  appId: parts.app()?.appId ?? null,
});

async function depart(parts: SetupPagesParts, { request, reply }: Asked): Promise<FastifyReply> {
  const { form, web, organization, name, issues, replace } = setupForm.parse(request.body ?? {});
  const admin = await adminOf(parts, { request, reply });
  if (admin === null) return reply;
  if (!parts.signIn.cookies.isOurForm(request, form)) return sendPage(reply.code(403), notOurForm);
  const browser = randomBytes(32).toString("base64url");
  const departure = await beginSetup(
    parts.setup,
    {
      web,
      organization: organization === "" ? null : organization,
      name,
      issues: issues === "yes",
      existing: replace === "yes" ? "replace" : "refuse",
    },
    { browser, who: admin },
  );
  if (isSetupRefusal(departure)) {
    const asked = { ...formOf(parts, form), web, name };
    return framed(parts, { request, reply: reply.code(400) }, setupPage(asked, complaintOf(departure)));
  }
  parts.signIn.cookies.write(reply, "browser", { value: browser, until: new Date(Date.now() + awayFor) });
  // GitHub takes the form from here, and wants to know from where.
  reply.helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { ...strictPolicy, formAction: ["'self'", new URL(departure.action).origin] },
    },
    referrerPolicy: { policy: "strict-origin-when-cross-origin" },
  });
  return framed(parts, { request, reply }, departurePage(departure));
}

async function arrive(parts: SetupPagesParts, asked: Asked): Promise<FastifyReply> {
  const { request, reply } = asked;
  if ((await adminOf(parts, asked)) === null) return reply;
  const { code, state } = arrival.parse(request.query);
  const { cookies } = parts.signIn;
  const created = await finishSetup(parts.setup, { browser: cookies.read(request, "browser"), state, code });
  if (isSetupRefusal(created)) return framed(parts, { request, reply: reply.code(403) }, setupRefusedPage(created));
  const { name, url } = created.app;
  const next =
    "Restart the gateway, every replica of it: it takes the App up at its start. Other replicas need the same files and the same section.";
  return framed(parts, asked, createdPage({ name, url, installUrl: installAddress(url), kept: created.kept }, next));
}

async function verify(parts: SetupPagesParts, asked: Asked): Promise<FastifyReply> {
  const { request, reply } = asked;
  const { form, pull: written } = verifyForm.parse(request.body ?? {});
  if ((await adminOf(parts, asked)) === null) return reply;
  if (!parts.signIn.cookies.isOurForm(request, form)) return sendPage(reply.code(403), notOurForm);
  const pull = pullName(written);
  const trial = parts.app()?.trial ?? null;
  const outcome =
    pull === null || trial === null
      ? complaintOf({ refused: "That is no pull request.", mend: "Write it like acme/shop#7, or paste its address." })
      : trialOutcome(await trial.comment(pull).catch(asTrial));
  return framed(parts, asked, await whereInstalled(parts, form, outcome));
}

const asTrial = (error: unknown): Trial => {
  if (error instanceof GitHubFailure) return { url: null, problems: [error.message] };
  throw error;
};

async function whereInstalled({ app }: SetupPagesParts, form: string, outcome: Html | null) {
  const trial = app()?.trial ?? null;
  if (trial === null) return setupRefusedPage({ refused: "There is no GitHub App yet.", mend: "Make one first." });
  try {
    const [installUrl, installations] = await Promise.all([trial.installUrl(), trial.installations()]);
    return installedPage({ installUrl, installations, form }, outcome);
  } catch (error) {
    if (!(error instanceof GitHubFailure)) throw error;
    return setupRefusedPage({ refused: `GitHub could not be asked: ${error.message}.`, mend: "Try it again." });
  }
}

type MadePage = Parameters<typeof sendPage>[1];

async function toAdmin(
  parts: SetupPagesParts,
  asked: Asked,
  page: (form: string) => MadePage | Promise<MadePage>,
): Promise<FastifyReply> {
  if ((await adminOf(parts, asked)) === null) return asked.reply;
  const form = parts.signIn.cookies.formToken(asked.request) ?? "";
  return framed(parts, asked, await page(form));
}

/** As audit events name them; null when the page that says so has been sent. */
async function adminOf({ signIn }: SetupPagesParts, { request, reply }: Asked): Promise<string | null> {
  const [holder, person] = await Promise.all([signIn.holder(request), signIn.person(request)]);
  if (person?.role === "admin") return person.name;
  if (holder?.role === "admin") return holderName(holder);
  const isStranger = holder === null && person === null;
  // A form that was sent does not come back from signing in.
  if (isStranger) sendPage(reply.code(401), signInPage(signIn.ways(pageOf(request))));
  else sendPage(reply.code(403), adminsOnlyPage);
  return null;
}

const pageOf = (request: FastifyRequest): string => (request.method === "GET" ? request.url : "/setup/github");

async function framed(parts: FrameParts, { request, reply }: Asked, page: MadePage): Promise<FastifyReply> {
  const viewer = await parts.signIn.viewer(request);
  return viewer === null ? sendPage(reply, page) : sendPage(reply, page, await frameOf(parts, request, viewer));
}

const setupForm = z.object({
  form: z.string().max(200).default(""),
  web: z.string().trim().max(300).default(""),
  organization: z.string().trim().max(100).default(""),
  name: z.string().trim().max(100).default(""),
  issues: z.string().max(10).optional(),
  replace: z.string().max(10).optional(),
});
const arrival = z.object({ code: z.string().max(200).default(""), state: z.string().max(200).default("") });
const verifyForm = z.object({ form: z.string().max(200).default(""), pull: z.string().max(500).default("") });
