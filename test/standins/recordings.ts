/** Real exchanges with Datadog, read from the folder beside this checkout when it is there. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One request and what Datadog answered. */
export type Exchange = {
  readonly request: {
    readonly method: string;
    readonly path: string;
    /** Percent-encoded, without `?`; `` when there was none. */
    readonly query: string;
    /** Null when the request had none. */
    readonly contentType: string | null;
    readonly body: Buffer;
  };
  readonly response: {
    readonly status: number;
    readonly reason: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly body: Buffer;
  };
};

/** The exchanges of one scenario, in the order in which they happened. */
export type Recording = {
  readonly version: string;
  readonly feature: string;
  readonly scenario: string;
  /** When it was recorded. */
  readonly at: Date;
  readonly exchanges: readonly Exchange[];
};

type StoredExchange = {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: readonly (readonly [string, string])[];
    readonly content_type: string;
    readonly body: { readonly type: "empty" | "json" | "text"; readonly value: unknown };
  };
  readonly response: {
    readonly status: number;
    readonly reason: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: { readonly encoding: "text" | "base64"; readonly value: string };
  };
};

type StoredRecording = {
  readonly version: string;
  readonly feature: string;
  readonly scenario: string;
  readonly frozen_at: string;
  readonly interactions: readonly StoredExchange[];
};

/** Where the recordings lie: `../shared/datadog-recordings` beside the checkout. */
export const recordingsFolder = join(import.meta.dirname, "../../../shared/datadog-recordings");

/** Why a test that needs the recordings is skipped. */
export const recordingsMissing = "skipped: ../shared/datadog-recordings is not beside this checkout";

/** All recordings in the manifest's order, or null where the folder is not there. */
export const loadRecordings = (): readonly Recording[] | null => {
  const manifest = readJson<{ features: { file: string }[] }>("manifest.json");
  if (manifest === null) return null;
  return manifest.features.flatMap(({ file }) => {
    const feature = readJson<{ recordings: StoredRecording[] }>(file);
    if (feature === null) throw new Error(`${join(recordingsFolder, file)} is in the manifest but not in the folder`);
    return feature.recordings.map(readRecording);
  });
};

const readJson = <T>(file: string): T | null => {
  try {
    return JSON.parse(readFileSync(join(recordingsFolder, file), "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};

const readRecording = (stored: StoredRecording): Recording => ({
  version: stored.version,
  feature: stored.feature,
  scenario: stored.scenario,
  at: new Date(stored.frozen_at),
  exchanges: stored.interactions.map(readExchange),
});

const readExchange = ({ request, response }: StoredExchange): Exchange => ({
  request: {
    method: request.method,
    path: request.path,
    query: request.query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&"),
    contentType: request.content_type === "" ? null : request.content_type,
    body: readRequestBody(request.body),
  },
  response: {
    status: response.status,
    reason: response.reason,
    headers: Object.entries(response.headers),
    body: Buffer.from(response.body.value, response.body.encoding === "text" ? "utf8" : "base64"),
  },
});

const readRequestBody = ({ type, value }: StoredExchange["request"]["body"]): Buffer => {
  switch (type) {
    case "empty":
      return Buffer.alloc(0);
    case "json":
      return Buffer.from(JSON.stringify(value));
    case "text":
      return Buffer.from(String(value));
    default:
      throw new Error(`unknown request body type ${String(type satisfies never)}`);
  }
};
