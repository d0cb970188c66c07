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
