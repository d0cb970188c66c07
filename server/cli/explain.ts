/** What keeps a gateway from starting, in one line with the fix. */

import { ConfigurationRefused } from "../app.ts";
import { FolderTaken } from "../demo/claim.ts";
import { GatewayError } from "../errors.ts";

export type Wanted = {
  /** The configuration that was to be served. */
  readonly file: string;
  /** What to do about a folder that cannot be used, other than giving it to the user who runs Dogwatch. */
  readonly elsewhere: string;
};

/** Says it and ends: 2 where the configuration or what it names cannot be used, 1 where nobody foresaw it. */
export function reportStart(error: unknown, wanted: Wanted): never {
  const known = explainStart(error, wanted);
  process.stderr.write(known === null ? `dogwatch: ${stackOf(error)}\n` : `${known}\n`);
  process.exit(known === null ? 1 : 2);
}

/** Null when the error is none of those that the person who started it can mend. */
export function explainStart(error: unknown, wanted: Wanted): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof ConfigurationRefused) return error.message;
  if (error instanceof FolderTaken) return `dogwatch: ${error.message}`;
  if (error instanceof GatewayError && error.code === "recording_unavailable")
    return `dogwatch: ${error.message}. It is the one that \`database\` in ${wanted.file} names: is it up, and may this machine and role use it?`;
  if (isSystemError(error)) return explainSystem(error, wanted);
  // What this program throws by itself says what to do; anything else is a bug, and its stack is wanted.
  return error.constructor === Error ? `dogwatch: ${error.message}` : null;
}

type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

const isSystemError = (error: Error): error is SystemError => "code" in error && "syscall" in error;

function explainSystem(error: SystemError, { file, elsewhere }: Wanted): string {
  const { code, syscall, address, port, path, message } = error;
  const place = `${address}:${port}`;
  switch (syscall === "listen" ? code : "") {
    case "EADDRINUSE":
      return `dogwatch: ${place} is taken by another program: stop that one, or give \`listen\` in ${file} another port`;
    case "EACCES":
      return `dogwatch: ${place} is not for this user (ports below 1024 are root's): give \`listen\` in ${file} another port`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `dogwatch: ${place} is no address of this machine: correct \`listen\` in ${file}`;
    default:
      return path === undefined
        ? `dogwatch: ${message}`
        : `dogwatch: ${path} cannot be used (${code}): give it to the user who runs Dogwatch, or ${elsewhere}`;
  }
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
