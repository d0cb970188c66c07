/** The small values of dogwatch.yaml: durations, sizes, addresses, names, secrets. Each is parsed once, here. */

import { isLoopback } from "../model/loopback.ts";
import { z } from "zod";
import { Secret } from "../model/connection.ts";

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const bytes = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 } as const;

const durationPattern = /^(\d{1,9})(ms|s|m|h|d|w)$/;
const sizePattern = /^(\d{1,9})(B|KiB|MiB|GiB|kB|MB|GB)$/;

/** `50s`, `30m`, `90d` → milliseconds, at least `least` of them. */
export const duration = (least = 1) =>
  z
    .string({ error: "must be a duration: a whole number with ms, s, m, h, d or w, like 30m" })
    .regex(durationPattern, { error: "must be a duration: a whole number with ms, s, m, h, d or w, like 30m" })
    .transform((text) => {
      const [, count, unit] = durationPattern.exec(text) ?? [];
      return Number(count) * milliseconds[unit as keyof typeof milliseconds];
    })
    .refine((value) => value >= least, { error: `must be at least ${least} ms` });

/** `8MiB` → bytes, between 1 KiB and 4 GiB. */
export const size = z
  .string({ error: "must be a size: a whole number with B, KiB, MiB or GiB, like 8MiB" })
  .regex(sizePattern, { error: "must be a size: a whole number with B, KiB, MiB or GiB, like 8MiB" })
  .transform((text) => {
    const [, count, unit] = sizePattern.exec(text) ?? [];
    return Number(count) * bytes[unit as keyof typeof bytes];
  })
  .refine((value) => value >= 2 ** 10 && value <= 2 ** 32, { error: "must be between 1KiB and 4GiB" });

/** What rules, issuers, connections and tokens are called: short, and safe in a URL, a log line and a comment. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: "must be 1 to 64 of letters, digits, . _ -, beginning with a letter or digit",
});

/** Kept wrapped from here on; no message ever shows it. */
export const secret = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : "must be text: put it in quotes") })
  .min(1, { error: "is empty" })
  .refine((text) => text.trim() === text, { error: "begins or ends with white space" })
  // A line break in a credential would be a header of its own.
  .refine((text) => !/[\r\n\0]/.test(text), { error: "must be a single line" })
  .transform((text) => new Secret(text));

/** A secret of several lines, as private keys are. */
export const multilineSecret = z
  .string()
  .min(1, { error: "is empty" })
  .transform((text) => new Secret(text));

const parsed = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

const isWeb = (url: URL | undefined): url is URL =>
  url !== undefined && (url.protocol === "https:" || url.protocol === "http:");

const notAnAddress = "must be an address like https://host.example.com";

/** An http(s) address without user, query or fragment: those would end up in logs, or be lost. */
const address = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : notAnAddress) })
  .refine((text) => isWeb(parsed(text)), { error: notAnAddress, abort: true })
  .refine((text) => parsed(text)?.username === "" && parsed(text)?.password === "", {
    error: "must not contain a user or password",
  })
  .refine((text) => !/[?#]/.test(text), { error: "must not contain ? or #" });

const withoutSlash = (text: string): string => text.replace(/\/+$/, "");

/** Where people and clients reach the gateway. */
export const publicAddress = address.transform(withoutSlash);

/** `iss` as tokens carry it, character by character; plain http for loopback only, since keys are fetched from there. */
export const issuerAddress = address.refine((text) => isSafe(text), {
  error: "must be https: (http: is accepted for loopback addresses only)",
});

/** Where the connection's hosts really are: scheme, host and port. */
export const endpointAddress = address
  .refine((text) => isSafe(text), {
    error: "must be https: (http: is accepted for loopback addresses only), because the real keys go there",
  })
  .refine((text) => parsed(text)?.pathname === "/", { error: "must be scheme, host and port without a path" })
  .transform((text) => new URL(text).origin);

const isSafe = (text: string): boolean => {
  const url = parsed(text);
  return url?.protocol === "https:" || (url !== undefined && isLoopback(url.hostname));
};

const listenPattern = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})$/;

/** `0.0.0.0:8080`, `[::1]:8080`, `:8080` (every address). */
export const listen = z
  .string({ error: "must be HOST:PORT, like 127.0.0.1:8080" })
  .regex(listenPattern, { error: "must be HOST:PORT, like 127.0.0.1:8080" })
  .transform((text) => {
    const [, host = "", port] = listenPattern.exec(text) ?? [];
    return { host: host === "" ? "0.0.0.0" : host.replaceAll(/[[\]]/g, ""), port: Number(port) };
  })
  .refine(({ port }) => port <= 65_535, { error: "has a port over 65535" });
