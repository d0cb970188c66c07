/** The job's certificate authority can speak for the session's hosts only, whoever gets hold of it. */

import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createAuthority } from "../../../action/relay/authority.ts";
import { runToEnd } from "../../standins/job.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const hosts = ["api.datadoghq.com", "http-intake.logs.datadoghq.com"];

test("its name constraints are critical, permit exactly the session's hosts and no IP address", async ({ skip }) => {
  const { certificate } = await createAuthority(hosts, Date.now);
  const directory = mkdtempSync(join(tmpdir(), "dogwatch-ca-"));
  writeFileSync(join(directory, "ca.pem"), certificate);
  const shown = await runToEnd(
    "openssl",
    ["x509", "-in", join(directory, "ca.pem"), "-noout", "-text"],
    process.env,
  ).catch(() => null);
  rmSync(directory, { recursive: true });
  if (shown === null) skip("no openssl on this machine");
  const text = shown?.out.replace(/ +/g, " ") ?? "";
  expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign\n/);
  expect(text).toMatch(/X509v3 Extended Key Usage:\s+TLS Web Server Authentication\n/);
  const constraints = /X509v3 Name Constraints: critical\n([\s\S]*?)\n (?:X509v3|Signature)/.exec(text)?.[1] ?? "";
  expect(constraints.split("\n").map((line) => line.trim())).toEqual([
    "Permitted:",
    ...hosts.map((host) => `DNS:${host}`),
    "Excluded:",
    "IP:0.0.0.0/0.0.0.0",
    "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
  ]);
});

test("every job has its own key, and a leaf is made for the session's hosts only", async () => {
  const [one, other] = await Promise.all([createAuthority(hosts, Date.now), createAuthority(hosts, Date.now)]);
  const keyOf = (pem: string) =>
    new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" }).toString("hex");
  expect(keyOf(one.certificate)).not.toBe(keyOf(other.certificate));
  await expect(one.contextOf("api.datadoghq.com")).resolves.toBeDefined();
  await expect(one.contextOf("api.datadoghq.com.evil.example")).rejects.toThrow("not a host of this session");
  await expect(one.contextOf("evil.example")).rejects.toThrow("not a host of this session");
});
