/** The job's own certificate authority: it can speak for the session's Datadog hosts and for nothing else, and its key never leaves memory. */

import "reflect-metadata"; // @peculiar/x509 does not load without it
import { webcrypto } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import * as x509 from "@peculiar/x509";

export type Authority = {
  /** The certificate clients must trust, PEM. */
  readonly certificate: string;
  readonly hosts: readonly string[];
  serves(host: string): boolean;
  /** A leaf for one exact host; one is made per host and kept. */
  contextOf(host: string): Promise<SecureContext>;
};

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hour = 3_600_000;
/** Self-hosted jobs run up to 5 days and agents longer; the key dies with the process anyhow. */
const lifetime = 30 * 24 * hour;

/** @param clock milliseconds since the epoch */
export const createAuthority = async (hosts: readonly string[], clock: () => number): Promise<Authority> => {
  const keys = await newKeys();
  const issued = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Dogwatch relay of this job",
    serialNumber: serial(),
    ...validity(clock()),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], false),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      nameConstraints(hosts),
    ],
  });
  const served = new Set(hosts);
  const contexts = new Map<string, Promise<SecureContext>>();
  return {
    certificate: `${issued.toString("pem")}\n`,
    hosts,
    serves: (host) => served.has(host),
    contextOf(host) {
      if (!served.has(host)) return Promise.reject(new Error(`${host} is not a host of this session`));
      const known = contexts.get(host) ?? issueLeaf({ issued, keys }, host, clock());
      contexts.set(host, known);
      return known;
    },
  };
};

type Issuer = { readonly issued: x509.X509Certificate; readonly keys: webcrypto.CryptoKeyPair };

const issueLeaf = async (issuer: Issuer, host: string, now: number): Promise<SecureContext> => {
  const keys = await newKeys();
  const leaf = await x509.X509CertificateGenerator.create({
    subject: "CN=Dogwatch relay",
    issuer: issuer.issued.subject,
    serialNumber: serial(),
    ...validity(now),
    signingKey: issuer.keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], false),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.issued.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return createSecureContext({
    cert: leaf.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    minVersion: "TLSv1.2",
  });
};

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** An hour back, for clocks that disagree. */
const validity = (now: number) => ({ notBefore: new Date(now - hour), notAfter: new Date(now + lifetime) });

/** A positive random serial number (RFC 5280 §4.1.2.2). */
const serial = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
};

/** RFC 5280 §4.2.1.10, critical: only these DNS names, and no IP address at all (a kind of name left out would be free). */
const nameConstraints = (hosts: readonly string[]): x509.Extension => {
  const subtree = (tag: number, value: Uint8Array) => der(0x30, der(tag, value));
  const [dns, ip] = [0x82, 0x87];
  const permitted = der(0xa0, ...hosts.map((host) => subtree(dns, Buffer.from(host, "ascii"))));
  const excluded = der(0xa1, subtree(ip, Buffer.alloc(8)), subtree(ip, Buffer.alloc(32)));
  return new x509.Extension("2.5.29.30", true, Uint8Array.from(der(0x30, permitted, excluded)));
};

/** One DER element: tag, length, contents (X.690 §8.1). */
const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
};
