/** Where people find what the API answers for: github.com, ghe.com or a server of one's own. */

/**
 * `https://api.github.com` → `https://github.com`, `https://api.acme.ghe.com` → `https://acme.ghe.com`, `https://ghe.example.com/api/v3` →
 * `https://ghe.example.com`.
 *
 * @see https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom
 * @see https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
 */
export const webAddress = (apiUrl: string): string => {
  const url = new URL(apiUrl);
  const cloud = /^api\.(github\.com|[^.]+\.ghe\.com)$/.exec(url.host)?.[1];
  return cloud === undefined ? url.origin : `${url.protocol}//${cloud}`;
};

/** The GitHub whose Actions sign tokens as this issuer; null for an issuer that is none of GitHub's. */
export const webOfIssuer = (issuer: string): string | null => {
  const { protocol, host, pathname } = new URL(issuer);
  if (host === "token.actions.githubusercontent.com") return "https://github.com";
  const cloud = /^token\.actions\.([^.]+\.ghe\.com)$/.exec(host)?.[1];
  if (cloud !== undefined) return `https://${cloud}`;
  return pathname === "/_services/token" ? `${protocol}//${host}` : null;
};
