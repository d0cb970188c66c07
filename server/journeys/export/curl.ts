/** Calls as a shell script that sends them again, with the keys of whoever runs it. What was recorded can break out of nothing in it. */

import { quote } from "../../model/quote.ts";
import type { HeaderList, StoredBodyMeta } from "../../model/receipt.ts";
import type { ReadCall } from "../history.ts";
import { textOf, urlOf } from "./har.ts";

const beginning = `#!/bin/sh
# Recorded by Dogwatch. Sends the calls again, to Datadog itself: read it first. Values that masks took out (dwm_…) are sent as they stand here.
set -eu
: "\${DD_API_KEY:?}" "\${DD_APP_KEY:?}"
`;

export async function* writeCurl(calls: AsyncIterable<ReadCall>): AsyncGenerator<string> {
  yield beginning;
  for await (const call of calls) yield commandFor(call);
}

const commandFor = ({ call, bodies }: ReadCall): string => {
  const { session_id, n, operation, state, status, decision, method, request } = call;
  const lines = [
    "",
    `# ${session_id}/${n} ${quote(operation)}: ${decision.effect}, ${state}${status === null ? "" : `, ${status}`}`,
  ];
  const body = request.body === null || request.body.size === 0 ? null : dataOf(request.body, bodies.request);
  if (body !== null && "missing" in body) return [...lines, `# left out: ${body.missing}`, ""].join("\n");
  const options = [
    `--request ${shell(method)}`,
    ...headersOf(request.headers),
    ...(body === null ? [] : [body.option]),
    shell(urlOf(call).replaceAll(unseen, (odd) => encodeURIComponent(odd.toWellFormed()))),
  ];
  // Nothing in an address is a pattern, and its dots stay where they are.
  const command = ["curl --silent --show-error --globoff --path-as-is", ...options].join(" \\\n  ");
  return [...lines, `${body?.before ?? ""}${command}`, "echo", ""].join("\n");
};

/** Whoever reads the script sees what it does: nothing in it moves a terminal or turns the writing around. */
const unseen = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}/gu;
const hides = (text: string): boolean => text.search(unseen) !== -1;

/** Between single quotes a shell reads nothing but what is there. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** curl makes these itself, or they were for one hop. */
const ownOfCurl = new Set(
  "host content-length connection keep-alive transfer-encoding te trailer upgrade expect accept-encoding proxy-authorization authorization".split(
    " ",
  ),
);
const keys: ReadonlyMap<string, string> = new Map([
  ["dd-api-key", '"DD-API-KEY: $DD_API_KEY"'],
  ["dd-application-key", '"DD-APPLICATION-KEY: $DD_APP_KEY"'],
]);

/** A name that is none would be an option, or a file that curl reads. */
const fieldName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

const headersOf = (headers: HeaderList): string[] => [
  ...[...keys.values()].map((key) => `--header ${key}`),
  ...headers.flatMap(([name, value]) => {
    const small = name.toLowerCase();
    if (keys.has(small) || ownOfCurl.has(small) || !fieldName.test(name) || hides(value) || value.includes("\n"))
      return [];
    // Without a value curl would leave the field out.
    return [`--header ${shell(value === "" ? `${name};` : `${name}: ${value}`)}`];
  }),
];

/** Linux hands a program no longer argument than 128 KiB; what a shell does by itself has no such end. */
const longestArgument = 64 * 1024;

type Data = { readonly before: string; readonly option: string } | { readonly missing: string };

const dataOf = (body: StoredBodyMeta, bytes: Buffer | null): Data => {
  if (bytes === null || body.truncated) return { missing: "its body is not recorded as a whole any more" };
  const text = textOf(bytes);
  if (text === null || hides(text))
    return { before: `printf %s ${shell(bytes.toString("base64"))} | base64 -d | `, option: "--data-binary @-" };
  return bytes.length > longestArgument
    ? { before: `printf %s ${shell(text)} | `, option: "--data-binary @-" }
    : { before: "", option: `--data-raw ${shell(text)}` };
};
