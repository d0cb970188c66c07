/** Where an address leads, in one spelling for all ways to write it: to tell whether two of them are one place. */

/** `api.example.com:443` for `https://API.example.com./`; the scheme is left out, for one port has one listener. */
export const placeOf = (url: string): string => {
  const { protocol, hostname, port } = new URL(url);
  return placeAt(hostname, Number(port === "" ? (protocol === "https:" ? 443 : 80) : port));
};

/** The same for a host name, or an address as a resolver gives it. */
export const placeAt = (host: string, port: number): string => `${plainHost(host)}:${port}`;

/** Every way to this machine itself is one: a listener on all addresses is reached by each of them. */
const thisMachine = "this machine";

const plainHost = (written: string): string => {
  const host = written
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "")
    .replace(/\.+$/, "");
  if (host === "localhost" || host.endsWith(".localhost")) return thisMachine;
  const address = host.includes(":") ? plainIpv6(host) : host;
  return /^(?:127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1?)$/.test(address) ? thisMachine : address;
};

/** RFC 5952 spelling; an IPv4 address that is written as IPv6 (RFC 4291 §2.5.5.2) is that IPv4 address. */
const plainIpv6 = (host: string): string => {
  const url = URL.parse(`http://[${host}]`);
  if (url === null) return host;
  const address = url.hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((pair) => [pair >> 8, pair & 0xff]).join(".");
};
