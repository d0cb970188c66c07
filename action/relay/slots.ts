/** Puts the session token where a client put the placeholder key, and lets no other key through. */

import { timingSafeEqual } from "node:crypto";

/** Header names and values as they came: `[name, value, name, value, …]`, order and case kept. */
export type RawHeaders = readonly string[];

export type Addressed = { readonly headers: RawHeaders; readonly path: string };

export type Exchange = { readonly placeholder: string; readonly token: string };

/** Why a request is not sent: a sentence for the person who reads the client's error. */
export type SlotRefusal = { readonly refused: string };

/** Underscored as Datadog's MCP clients send them. */
const keyHeaders = new Set(["dd-api-key", "dd-application-key", "dd_api_key", "dd_application_key"]);
const keyParameters = new Set(["api_key", "application_key", "dd-api-key"]);
const keySegment = /(\/v1\/input\/)([^/?]+)/;

export const equalText = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};

/** Percent-decoded, or as it is where it cannot be. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The path with every key in it hidden, without its query: what a log may show. */
export const shownPath = (path: string): string => (path.split("?", 1)[0] ?? "").replace(keySegment, "$1{api_key}");

/**
 * The same request with the token in the slots that held the placeholder. A slot that holds anything else is refused,
 * so that a real key left in the job never leaves the runner; a request with no placeholder is refused, so that only
 * those who were given it use the session.
 */
export const presentToken = (request: Addressed, { placeholder, token }: Exchange): Addressed | SlotRefusal => {
  const foreign: string[] = [];
  let presented = 0;
  const swap = (slot: string, value: string): string => {
    if (value === "") return value;
    if (equalText(value, placeholder)) {
      presented += 1;
      return token;
    }
    foreign.push(slot);
    return value;
  };
  const headers = swapHeaders(request.headers, swap);
  const path = swapPath(request.path, swap);
  if (foreign.length > 0)
    return {
      refused: `${foreign.join(" and ")} holds another key than the one Dogwatch exported: remove that key from the job, or use DD_API_KEY / DD_APP_KEY as they are set`,
    };
  if (presented === 0)
    return { refused: "no Dogwatch key in the request: use the DD_API_KEY / DD_APP_KEY that Dogwatch exported" };
  return { headers, path };
};

type Swap = (slot: string, value: string) => string;

const swapHeaders = (headers: RawHeaders, swap: Swap): string[] => {
  const swapped: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    swapped.push(name, swapHeader(name, value, swap));
  }
  return swapped;
};

const swapHeader = (name: string, value: string, swap: Swap): string => {
  const slot = name.toLowerCase();
  if (keyHeaders.has(slot)) return swap(name, value);
  const bearer = slot === "authorization" ? /^(bearer +)(.*)$/i.exec(value) : null;
  return bearer ? `${bearer[1]}${swap("Authorization", bearer[2] as string)}` : value;
};

/** Replaces values in place: every other byte of path and query, and their order, stays. */
const swapPath = (target: string, swap: Swap): string => {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const keyed = path.replace(keySegment, (_, before: string, key: string) => before + swap("the path", decoded(key)));
  if (mark < 0) return keyed;
  const query = target.slice(mark + 1).split("&");
  return `${keyed}?${query.map((pair) => swapParameter(pair, swap)).join("&")}`;
};

const swapParameter = (pair: string, swap: Swap): string => {
  const mark = pair.indexOf("=");
  if (mark < 0) return pair;
  const name = decoded(pair.slice(0, mark));
  if (!keyParameters.has(name)) return pair;
  const value = decoded(pair.slice(mark + 1));
  const swapped = swap(`the query parameter ${name}`, value);
  return swapped === value ? pair : `${pair.slice(0, mark + 1)}${swapped}`;
};
