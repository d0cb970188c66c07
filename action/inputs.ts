/** The action's inputs, read and checked: every message names the input and what it may be. */

import { getInput } from "@actions/core";
import { isLoopback } from "./network.ts";

export const interceptions = ["auto", "hosts", "proxy", "off"] as const;
export type InterceptChoice = (typeof interceptions)[number];

export type Inputs = {
  /** No trailing slash. */
  readonly gatewayUrl: URL;
  readonly audience: string;
  readonly connection?: string;
  /** How long the relay may wait for a person's answer to one call, milliseconds. */
  readonly approvalTimeout: number;
  readonly intercept: InterceptChoice;
  readonly onUnavailable: "fail" | "skip";
};

/** An input that cannot be used; the message says which, and what it may be. */
export class InputProblem extends Error {}

export const readInputs = (): Inputs => {
  const gateway = getInput("gateway-url");
  const connection = getInput("connection");
  return {
    gatewayUrl: parseGatewayUrl(gateway, "the input gateway-url"),
    audience: getInput("audience") || gateway.replace(/\/+$/, ""),
    ...(connection ? { connection } : {}),
    approvalTimeout: parseDuration(
      getInput("approval-timeout") || defaultApprovalTimeout,
      "the input approval-timeout",
    ),
    intercept: oneOf("intercept", interceptions, "auto"),
    onUnavailable: oneOf("on-unavailable", ["fail", "skip"], "fail"),
  };
};

/** Those that `post` reads. */
export const readClosingInputs = () => ({
  failOnDenied: oneOf("fail-on-denied", ["true", "false"], "false") === "true",
  summary: oneOf("summary", ["true", "false"], "true") === "true",
});

/** Identity and session tokens travel there: nothing but TLS, or this machine itself. @param name who gave the text, for messages */
export const parseGatewayUrl = (text: string, name: string): URL => {
  if (text === "")
    throw new InputProblem(
      `${name} is missing: give the address of your Dogwatch gateway, as in https://dogwatch.example.com`,
    );
  const url = URL.parse(text.replace(/\/+$/, ""));
  if (
    !url ||
    !["http:", "https:"].includes(url.protocol) ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== ""
  )
    throw new InputProblem(`${name} is not the address of a gateway: give one like https://dogwatch.example.com`);
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new InputProblem(`${name} starts with http://, which would show tokens to the network: use https://`);
  return url;
};

export const defaultApprovalTimeout = "30m";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** As long as the longest job of a self-hosted runner; above all, below what timers can count. */
const longestDuration = 5 * 24 * 3_600_000;

/** Milliseconds. @param name who gave the text, for messages */
export const parseDuration = (text: string, name: string): number => {
  const [, count, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const duration = Number(count) * (units[unit ?? ""] ?? Number.NaN);
  if (duration > 0 && duration <= longestDuration) return duration;
  throw new InputProblem(`${name} is ${JSON.stringify(text)}: give a duration like 90s, 30m or 2h, at most 120h`);
};

const oneOf = <T extends string>(name: string, choices: readonly T[], preset: T): T => {
  const text = getInput(name) || preset;
  const choice = choices.find((candidate) => candidate === text.toLowerCase());
  if (choice === undefined)
    throw new InputProblem(`the input ${name} is ${JSON.stringify(text)}: it may be ${choices.join(", ")}`);
  return choice;
};
