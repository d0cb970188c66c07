/** What is said when GitHub refuses, or answers in a way that cannot be read: its own words, shown safely, and what to mend. */

import type { z } from "zod";
import { GitHubFailure } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import type { Answer, Ask } from "./send.ts";

/** @param needs the permission without which this is refused, `checks: write`; null when it is not for want of one */
export const refusal = ({ status, headers, data }: Answer, ask: Ask, needs: string | null): GitHubFailure => {
  const said = `GitHub refused (${status} ${quote(messageIn(data))}) to ${ask.doing}`;
  const mend = mending(status, permissionsIn(headers["x-accepted-github-permissions"]) ?? needs);
  return new GitHubFailure("refused", mend === null ? said : `${said}: ${mend}`);
};

const mending = (status: number, needs: string | null): string | null => {
  switch (status) {
    case 401:
      return "its credentials are not accepted";
    case 403:
      return needs === null ? null : `the App needs the permission ${needs}, granted where it is installed`;
    case 404:
      return needs === null ? null : `it is not there, or the App may not see it (permission ${needs})`;
    case 410:
      return "it was deleted";
    default:
      return null;
  }
};

/** `pull_requests=write,contents=read; issues=write` → `pull_requests: write and contents: read, or issues: write`. */
const permissionsIn = (header: string | undefined): string | null => {
  if (header === undefined || !/^[a-z_]+=[a-z]+(?:[,;] ?[a-z_]+=[a-z]+)*$/.test(header)) return null;
  return header
    .split(";")
    .map((set) => set.trim().replaceAll("=", ": ").replaceAll(/, ?/g, " and "))
    .join(", or ");
};

/** `message`, and those of the single errors; never what was sent, which GitHub repeats in some of them. */
export const messageIn = (data: unknown): string => {
  if (typeof data !== "object" || data === null) return "";
  const { message, errors } = data as { message?: unknown; errors?: unknown };
  const single = Array.isArray(errors) ? errors.map(errorIn).filter((text) => text !== "") : [];
  return [message, single.join(", ")].filter((text) => typeof text === "string" && text !== "").join(": ");
};

const errorIn = (error: unknown): string => {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "";
  const { message, field, code } = error as { message?: unknown; field?: unknown; code?: unknown };
  if (typeof message === "string") return message;
  return [field, code].filter((text) => typeof text === "string").join(" ");
};

/** @throws GitHubFailure `uncertain` after a create: it happened, and nobody can say what it made */
export const read = <Shape extends z.ZodType>(shape: Shape, answer: Answer, ask: Ask): z.output<Shape> => {
  const parsed = shape.safeParse(answer.data);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  const unread = `GitHub's answer cannot be read${where === "" ? "" : ` at ${quote(where)}`}`;
  if (ask.kind === "create") throw new GitHubFailure("uncertain", `${unread}: to ${ask.doing} may have succeeded`);
  throw new GitHubFailure("refused", `${unread}: could not ${ask.doing}`);
};
