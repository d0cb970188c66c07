/** A recorded call as a command for a shell: with placeholders for keys, and quoted so that nothing in it is the shell's. */

import type { CallJson } from "../../contract.ts";

/** What curl or the connection writes itself, and what names the session that is over. */
const left =
  /^(host|connection|content-length|transfer-encoding|keep-alive|accept-encoding|user-agent|dogwatch-.*|prefer)$/i;
const keys = new Map([
  ["dd-api-key", "DD-API-KEY: $DD_API_KEY"],
  ["dd_api_key", "DD-API-KEY: $DD_API_KEY"],
  ["dd-application-key", "DD-APPLICATION-KEY: $DD_APP_KEY"],
  ["dd_application_key", "DD-APPLICATION-KEY: $DD_APP_KEY"],
  ["authorization", "Authorization: Bearer $TOKEN"],
]);

export function curlOf({
  method,
  host,
  path,
  query,
  request,
}: Pick<CallJson, "method" | "host" | "path" | "query" | "request">): string {
  const parts = ["curl", "-X", quoted(method), quoted(`https://${host}${path}${query === "" ? "" : `?${query}`}`)];
  const lines = [parts.join(" ")];
  for (const [name, value] of request.headers) {
    const key = keys.get(name.toLowerCase());
    // In double quotes, for the shell puts the key in; nothing recorded is in it.
    if (key !== undefined) lines.push(`-H "${key}"`);
    else if (!left.test(name)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  const { body } = request;
  if (body?.text !== undefined && body.text !== "") lines.push(`--data-raw ${quoted(body.text)}`);
  else if (body !== null && body.size > 0) lines.push("--data-binary @body  # save the request's body here first");
  return lines.join(" \\\n  ");
}

/** Control characters, and what turns writing around, are written as escapes: a terminal shows them before anybody runs them. */
export function quoted(text: string): string {
  if (!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = text.replaceAll(/[\\']/g, (c) => `\\${c}`).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeOf);
  return `$'${escaped}'`;
}

/** By bytes, which every shell with `$'…'` reads alike. */
const escapeOf = (character: string): string => {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
};
