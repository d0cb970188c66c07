/** The files with which clients trust the relay's certificate: what each trusted before, and ours. */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";

/** Node, OpenSSL and Go, Python's requests, curl. */
const variables = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/** Debian and Ubuntu, Fedora and RHEL, openSUSE, Alpine and macOS. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Writes the bundles into `directory` and gives the variables that lead to them. */
export const writeTrust = async (
  directory: string,
  certificate: string,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, string>> => {
  const system = systemBundles.find((path) => existsSync(path));
  const written = new Map<string, string>();
  const exported: Record<string, string> = {};
  for (const name of variables) {
    const before = env[name] && existsSync(env[name]) ? env[name] : (system ?? "");
    const file = written.get(before) ?? join(directory, `trusted-${written.size + 1}.pem`);
    if (!written.has(before)) await writeFile(file, `${await trustedBefore(before)}\n${certificate}`, { mode: 0o644 });
    written.set(before, file);
    exported[name] = file;
  }
  return exported;
};

/** Where the system keeps no bundle, Node's own list stands in. */
const trustedBefore = async (path: string): Promise<string> =>
  path === "" ? getCACertificates("bundled").join("\n") : (await readFile(path, "utf8")).trimEnd();
