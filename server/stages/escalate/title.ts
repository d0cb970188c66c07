/** What a call does, in plain words: `Delete monitor 4212 “Checkout latency p99”`. */

import type { Operation } from "../../model/operation.ts";
import { parsed } from "./json.ts";
import { short } from "./visible.ts";

/** What may say how the thing is called, best first. `isSecret`: the path names it by a key. */
export type Naming = { readonly texts: readonly (string | null)[]; readonly isSecret: boolean };

/** One line. What others chose in it is visible and short. */
export function titleOf(operation: Operation, { texts, isSecret }: Naming): string {
  if (!operation.known) return `${operation.method} ${short(operation.path, 150)}`;
  const params = Object.entries(operation.params);
  const [, id] = params.at(-1) ?? [];
  const others = params.slice(0, -1).map(([name, value]) => `${name.replaceAll("_", " ")} ${short(value, 60)}`);
  const name = nameIn(texts);
  return [
    plainWords(operation.name),
    ...(id === undefined || isSecret ? [] : [short(id, 60)]),
    ...(name === null || name === id ? [] : [`“${short(name, 100)}”`]),
    ...(others.length === 0 ? [] : [`(${others.join(", ")})`]),
  ].join(" ");
}

/** Words that are written together though they look like two, or like none. */
const joined: Readonly<Record<string, string>> = {
  OAuth2: "OAuth2",
  OAuth: "OAuth",
  GitHub: "GitHub",
  PagerDuty: "PagerDuty",
  ServiceNow: "ServiceNow",
  LLMObs: "LLM Observability",
  AuthN: "AuthN",
  OnCall: "on-call",
  IdP: "IdP",
  IoC: "IoC",
  GCPSTS: "GCP STS",
  V2: "v2",
};

/** Names and abbreviations that the client spells like any word. */
const spelled: Readonly<Record<string, string>> = Object.fromEntries(
  "AI API Azure AWS CI Cloudflare Confluent Fastly GCP Jira Microsoft Okta Opsgenie RUM SLO Slack Statuspage Twilio URL WAF"
    .split(" ")
    .map((word) => [word.toLowerCase(), word]),
);

const wordPattern = new RegExp(
  `${Object.keys(joined).join("|")}|[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\\d+|[A-Z]`,
  "g",
);

/** `DeleteAWSAccountFilters` → `Delete AWS account filters`: abbreviations keep their capitals, other words lose them. */
export function plainWords(name: string): string {
  const text = (name.match(wordPattern) ?? [name])
    .map((word) => joined[word] ?? spelled[word.toLowerCase()] ?? (isAbbreviation(word) ? word : word.toLowerCase()))
    .join(" ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const isAbbreviation = (word: string): boolean => word.length > 1 && /^[A-Z]+s?$/.test(word);

const nameFields = ["name", "title", "display_name", "handle", "label", "summary"];

/** The first of them in which the thing has a name. */
function nameIn(texts: readonly (string | null)[]): string | null {
  for (const text of texts) {
    const value = text === null ? undefined : parsed(text)?.value;
    const found = nameOf(value) ?? nameOf(at(value, "data"));
    if (found !== null) return found;
  }
  return null;
}

function nameOf(value: unknown): string | null {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  for (const holder of [at(one, "attributes"), one])
    for (const field of nameFields) {
      const name = at(holder, field);
      if (typeof name === "string" && name.trim() !== "") return name;
    }
  return null;
}

const at = (value: unknown, name: string): unknown => (value instanceof Map ? value.get(name) : undefined);
