/** Stores a new GitHub App: its key and secrets in files of their own, and a section in dogwatch.yaml that names them. */

import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { CreatedApp, KeptApp } from "../model/gitHubApp.ts";
import { type Environment, formatProblem, isConfig, parseConfig } from "./load.ts";
import { type GitHubSection, withGitHubSection } from "./githubSection.ts";

export type Keeping = {
  /** The configuration. */
  readonly file: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly env: Environment;
  readonly issues: boolean;
};

/** An App is there already, and nobody said that another may take its place. */
export class AppIsThere extends Error {}

const folderOf = (dataDir: string): string => join(dataDir, "github");

/**
 * Why an App could not be stored, tried before one is made: GitHub hands its key over once.
 *
 * @returns one sentence, or null when it could
 */
export function whyNotKept(dataDir: string): string | null {
  try {
    mkdirSync(dataDir, { recursive: true });
    rmSync(mkdtempSync(join(dataDir, "github-")), { recursive: true });
    return null;
  } catch (error) {
    return `${folderOf(dataDir)} cannot be made (${codeOf(error)}), and the App's key has to be kept there: give ${dataDir} to the user who runs this, or set \`dataDir\` to another folder`;
  }
}

/** Whether an App's key and secrets are there already. */
export const hasKeptApp = (dataDir: string): boolean => statOf(folderOf(dataDir)) !== null;

/**
 * `replace`: what is there is moved aside, never overwritten.
 *
 * @throws AppIsThere without `replace`, and what the file system says
 */
export function keepApp(app: CreatedApp, keeping: Keeping, existing: "refuse" | "replace"): KeptApp {
  const { file, dataDir, issues } = keeping;
  const folder = folderOf(dataDir);
  if (existing === "refuse" && hasKeptApp(dataDir))
    throw new AppIsThere(`${folder} holds an App already: it is not overwritten`);
  const before = storeFiles(app, folder);
  // As the configuration is named, whatever that leads to: what it refers to is looked for beside it.
  const named = (name: string): string => `\${file:${pathFrom(dirname(resolve(file)), join(folder, name))}}`;
  const section: GitHubSection = {
    apiUrl: app.apiUrl === "https://api.github.com" ? undefined : app.apiUrl,
    appId: app.appId,
    privateKey: named("private-key.pem"),
    webhookSecret: named("webhook-secret"),
    clientId: app.clientId,
    clientSecret: named("client-secret"),
    issues: issues ? true : undefined,
  };
  return { folder, before, ...writeSection(file, section, { app, env: keeping.env }) };
}

/** All or nothing: the folder is filled under another name, and is there the moment it is renamed. */
function storeFiles(app: CreatedApp, folder: string): string | null {
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  chmodSync(fresh, 0o700);
  try {
    const { appId, slug, name, owner, url, apiUrl, clientId } = app;
    const about = { app_id: appId, slug, name, owner, url, api_url: apiUrl, client_id: clientId };
    writeWhole(join(fresh, "app.json"), `${JSON.stringify(about, null, 2)}\n`, 0o600);
    writeWhole(join(fresh, "private-key.pem"), app.privateKey.reveal(), 0o600);
    writeWhole(join(fresh, "webhook-secret"), app.webhookSecret.reveal(), 0o600);
    writeWhole(join(fresh, "client-secret"), app.clientSecret.reveal(), 0o600);
    giveTo(dirname(folder), fresh);
    const aside = statOf(folder) === null ? null : `${fresh}-before`;
    if (aside !== null) renameSync(folder, aside);
    renameSync(fresh, folder);
    return aside;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}

/** Whoever runs the gateway must be able to read what root has stored for it. */
function giveTo(owned: string, folder: string): void {
  const { uid, gid } = statSync(owned);
  if (process.getuid?.() !== 0 || uid === 0) return;
  for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, gid);
  chownSync(folder, uid, gid);
}

type Named = { readonly app: CreatedApp; readonly env: Environment };

/** What is written is a configuration that can be used, or nothing is written. */
function writeSection(file: string, section: GitHubSection, { app, env }: Named): Pick<KeptApp, "yaml" | "unwritten"> {
  const text = readOr(file, "");
  const remark = `The GitHub App ${app.slug}, ${app.url}; docs/github-app.md`;
  const changed = withGitHubSection(text, section, remark);
  const unwritten = (why: string) => ({ yaml: changed.yaml, unwritten: why });
  if (changed.text === null) return unwritten(`${file} is written in a way that this cannot be added to safely`);
  const parsed = parseConfig(changed.text, { file, env }, () => []);
  const problem = isConfig(parsed) ? undefined : parsed[0];
  if (problem !== undefined) return unwritten(`with it ${file} could not be used: ${formatProblem(problem)}`);
  try {
    replaceFile(file, changed.text);
    return { yaml: changed.yaml, unwritten: null };
  } catch (error) {
    return unwritten(`${file} cannot be written (${codeOf(error)})`);
  }
}

/** Whoever reads it sees the old text or the new one, never half of either. */
function replaceFile(file: string, text: string): void {
  // A link is followed, so that what it leads to is replaced and not the link.
  const target = realpathSync(file);
  const { mode, uid, gid } = statSync(target);
  const fresh = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  try {
    writeWhole(fresh, text, mode & 0o777);
    const made = statSync(fresh);
    if (made.uid !== uid || made.gid !== gid) chownSync(fresh, uid, gid);
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** On disk when it returns; a file that is there already is not written into. */
function writeWhole(file: string, text: string, mode: number): void {
  const handle = openSync(file, "wx", mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(file, mode);
}

/** Relative where that stays beside the configuration, so that both can be moved together. */
const pathFrom = (directory: string, file: string): string => {
  const path = relative(directory, file);
  return path.startsWith("..") ? file : path;
};

const readOr = (file: string, otherwise: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
};

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false }) ?? null;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
