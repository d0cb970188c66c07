/** Making the GitHub App: a browser takes a manifest to GitHub, comes back once with a code, and what GitHub hands over for it is stored. */

import { createHash } from "node:crypto";
import { z } from "zod";
import { apiAddress, convert, longestName, type Manifest, manifestOf, newAppUrl, reach } from "../github/manifest.ts";
import type { AuditEvent } from "../model/audit.ts";
import { GitHubFailure } from "../model/github.ts";
import type { CreatedApp, KeptApp } from "../model/gitHubApp.ts";
import { isLoopback } from "../model/loopback.ts";
import type { People } from "../store/people.ts";
import { callbackPath } from "./signIn.ts";

export type SetupParts = {
  readonly trips: Pick<People, "depart" | "arrive">;
  readonly publicUrl: string;
  /** Where GitHub sends the browser with the code. */
  readonly redirect: string;
  /** Whether rules name teams. */
  teams(): boolean;
  /** Why what GitHub hands over could not be stored, one sentence; null when it could. */
  whyNotKept(): string | null;
  /** Whether there is an App already. */
  hasApp(): boolean;
  keep(app: CreatedApp, how: { readonly issues: boolean; readonly existing: "refuse" | "replace" }): KeptApp;
  readonly fetch: typeof fetch;
  audit(event: AuditEvent): void;
  chance(bytes: number): Buffer;
};

/** What people choose. */
export type SetupAsked = {
  /** `https://github.com`, `https://acme.ghe.com`, `https://ghe.example.com` */
  readonly web: string;
  /** Null: the App belongs to the person who makes it. */
  readonly organization: string | null;
  readonly name: string;
  /** Ask in an issue where a run has no pull request. */
  readonly issues: boolean;
  readonly existing: "refuse" | "replace";
};

/** A form that the browser sends to GitHub. */
export type Departure = { readonly action: string; readonly manifest: Manifest };

/** It did not happen: one sentence why, and one what to do. */
export type SetupRefusal = { readonly refused: string; readonly mend: string };

export const isSetupRefusal = (value: object): value is SetupRefusal => "refused" in value;

export const createdPath = "/setup/github/created";
export const installedPath = "/setup/github/installed";

/** ms; GitHub's own limit for the whole of it. */
const awayFor = 60 * 60_000;

/** `browser`: what its cookie holds. `who`: for the audit log. */
export async function beginSetup(
  parts: SetupParts,
  asked: SetupAsked,
  { browser, who }: { readonly browser: string; readonly who: string },
): Promise<Departure | SetupRefusal> {
  const { trips, publicUrl, redirect, chance } = parts;
  const refusal = whyNot(parts, asked) ?? (await whyUnreachable(parts, asked));
  if (refusal !== null) return refusal;
  const state = chance(32).toString("base64url");
  const carried = { ...asked, who };
  await trips.depart({ purpose: "github_app", state: digestOf(state), browser: digestOf(browser) }, carried, awayFor);
  return {
    action: newAppUrl(new URL(asked.web).origin, asked.organization, state),
    manifest: manifestOf({
      name: asked.name,
      publicUrl,
      redirect,
      callback: publicUrl + callbackPath,
      installed: publicUrl + installedPath,
      issues: asked.issues,
      teams: parts.teams(),
    }),
  };
}

const whyUnreachable = async (
  { fetch: send }: Pick<SetupParts, "fetch">,
  { web }: SetupAsked,
): Promise<SetupRefusal | null> => {
  try {
    await reach(apiAddress(web) ?? "", send);
    return null;
  } catch (failure) {
    if (!(failure instanceof GitHubFailure)) throw failure;
    return { refused: sentence(failure.message), mend: "Begin again afterwards." };
  }
};

/** What can be told before anybody opens a browser. */
export function whyNot(
  parts: Pick<SetupParts, "publicUrl" | "hasApp" | "whyNotKept">,
  { web, organization, name, existing }: SetupAsked,
): SetupRefusal | null {
  const no = (refused: string, mend: string): SetupRefusal => ({ refused, mend });
  if (apiAddress(web) === null)
    return no(
      "That is no address of a GitHub.",
      "Write it like https://github.com, https://SUBDOMAIN.ghe.com or https://github.example.com.",
    );
  if (organization !== null && !/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?$/.test(organization))
    return no("That is no name of an organization.", "Write it as it stands in its address on GitHub.");
  if (name.trim() === "" || name.length > longestName)
    return no(`An App's name has 1 to ${longestName} characters.`, "Choose another one.");
  if (isLoopback(new URL(parts.publicUrl).hostname) && !isLoopback(new URL(web).hostname))
    return no(
      `${parts.publicUrl} is this machine alone: GitHub could not reach it, and neither could the people who answer.`,
      "Set publicUrl in dogwatch.yaml to the address under which the gateway is reached.",
    );
  if (existing === "refuse" && parts.hasApp())
    return no(
      "There is a GitHub App already, and it is not overwritten.",
      "Say that another may take its place (--replace, or the box on the page); what is stored of the old one is moved aside.",
    );
  const unkept = parts.whyNotKept();
  return unkept === null ? null : no(`${unkept}.`, "Begin again afterwards.");
}

export type Created = { readonly app: CreatedApp; readonly kept: KeptApp; readonly issues: boolean };

export type Return = {
  /** Null when the browser has none: it never left from here. */
  readonly browser: string | null;
  readonly state: string;
  readonly code: string;
};

export async function finishSetup(
  parts: SetupParts,
  { browser, state, code }: Return,
): Promise<Created | SetupRefusal> {
  if (browser === null) return fromElsewhere;
  const trip = await parts.trips.arrive({
    purpose: "github_app",
    state: digestOf(state),
    browser: digestOf(browser),
  });
  if (trip === null) return fromElsewhere;
  const { web, issues, existing, who } = carriedShape.parse(trip);
  const apiUrl = apiAddress(web);
  if (apiUrl === null || !/^[\w-]{1,200}$/.test(code)) return noCode;
  try {
    const app = await convert(apiUrl, code, parts.fetch);
    const kept = store(parts, app, { issues, existing });
    if (isSetupRefusal(kept)) return kept;
    parts.audit({
      kind: "github_app_created",
      who,
      what: app.url,
      reason: kept.unwritten === null ? "the configuration names it" : "the configuration has to be changed by hand",
    });
    return { app, kept, issues };
  } catch (failure) {
    if (!(failure instanceof GitHubFailure)) throw failure;
    return { refused: sentence(failure.message), mend: "Nothing was stored." };
  }
}

/** GitHub hands the key over once: an App whose key is lost is good for nothing, and that is said. */
function store(
  { keep }: SetupParts,
  app: CreatedApp,
  how: { readonly issues: boolean; readonly existing: "refuse" | "replace" },
): KeptApp | SetupRefusal {
  try {
    return keep(app, how);
  } catch (error) {
    return {
      refused: `GitHub made the App ${app.slug}, and its key could not be stored: ${error instanceof Error ? error.message : "unknown reason"}.`,
      mend: `Delete it at ${app.url}, mend what is wrong, and begin again.`,
    };
  }
}

const carriedShape = z.object({
  web: z.string(),
  issues: z.boolean(),
  existing: z.enum(["refuse", "replace"]),
  who: z.string(),
});

const fromElsewhere: SetupRefusal = {
  refused: "This did not begin in this browser, was finished before, or took longer than an hour.",
  mend: "Begin again. If GitHub made an App meanwhile, delete it in GitHub's settings.",
};

const noCode: SetupRefusal = {
  refused: "GitHub sent no code back that could be one.",
  mend: "Begin again. If GitHub made an App meanwhile, delete it in GitHub's settings.",
};

const digestOf = (value: string): Buffer => createHash("sha256").update(value).digest();

const sentence = (message: string): string => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`;
