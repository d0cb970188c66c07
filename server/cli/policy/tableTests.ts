/** Turns written table tests into calls: names become callers and connections, bodies become the bytes a client would send. */

import { stringify } from "lossless-json";
import type { PolicyTest } from "../../journeys/policy/table.ts";
import type { Caller } from "../../model/caller.ts";
import type { Finding } from "../../model/config.ts";
import { suggest } from "../../model/nearest.ts";
import type { HeaderList } from "../../model/receipt.ts";
import type { Rulebook } from "../../rulebook.ts";
import type { WrittenCaller, WrittenTable, WrittenTest } from "./tableShape.ts";

/** The tests in the order of the file, or what they name that is not there. */
export const testsOf = (table: WrittenTable, rulebook: Rulebook, now: Date): PolicyTest[] | Finding[] => {
  const built = new Builder(table, rulebook, now);
  const tests = table.tests.map((test, index) => built.test(test, index));
  return built.findings.length > 0 ? built.findings : tests;
};

export const isTests = (built: PolicyTest[] | Finding[]): built is PolicyTest[] => built.every((one) => "call" in one);

class Builder {
  readonly findings: Finding[] = [];
  readonly #table: WrittenTable;
  readonly #rulebook: Rulebook;
  readonly #now: Date;
  readonly #callers: ReadonlyMap<string, Caller>;

  constructor(table: WrittenTable, rulebook: Rulebook, now: Date) {
    this.#now = now;
    this.#table = table;
    this.#rulebook = rulebook;
    this.#callers = new Map(
      Object.entries(table.callers).map(([name, written]) => [name, this.#caller(written, ["callers", name])]),
    );
  }

  test(test: WrittenTest, index: number): PolicyTest {
    const path = ["tests", index];
    const { request, expect } = test;
    for (const [i, name] of (expect.rules ?? []).entries())
      this.#known(name, this.#ruleNames(), [...path, "expect", "rules", i]);
    for (const [i, name] of (test.spent ?? []).entries()) this.#known(name, this.#ruleNames(), [...path, "spent", i]);
    return {
      name: test.name,
      call: {
        caller: this.#callerOf(test, path),
        connection: this.#connectionOf(test, path),
        host: request.host ?? null,
        method: request.method,
        path: request.path,
        query: typeof request.query === "string" ? request.query : queryOf(request.query),
        headers: headersOf(request),
        at: test.at === undefined ? this.#now : new Date(test.at),
        ...(test.spent !== undefined && { spent: test.spent }),
      },
      body: bytesOf(request.body),
      expect: {
        effect: expect.effect,
        ...(expect.rules !== undefined && { rules: expect.rules }),
        ...(expect.reason !== undefined && { reason: expect.reason }),
        ...(expect.operation !== undefined && { operation: expect.operation }),
      },
    };
  }

  #callerOf({ caller = this.#table.caller }: WrittenTest, path: Finding["path"]): Caller {
    if (typeof caller === "object") return this.#caller(caller, [...path, "caller"]);
    const names = [...this.#callers.keys()];
    const only = names.length === 1 ? names[0] : undefined;
    const name = caller ?? only;
    if (name === undefined)
      this.findings.push({ path, message: "needs a caller: a name of callers, or a map of claims" });
    else if (!this.#callers.has(name))
      this.findings.push({ path: [...path, "caller"], message: `there is no caller ${name}${suggest(name, names)}` });
    return this.#callers.get(name ?? "") ?? nobody;
  }

  #connectionOf({ connection = this.#table.connection }: WrittenTest, path: Finding["path"]): string {
    const names = [...this.#rulebook.connections.keys()];
    const name = connection ?? (names.length === 1 ? names[0] : undefined);
    if (name === undefined) {
      this.findings.push({ path, message: `needs a connection: one of ${names.join(", ")}` });
      return "";
    }
    this.#known(name, names, [...path, "connection"]);
    return name;
  }

  #known(name: string, names: readonly string[], path: Finding["path"]): void {
    if (!names.includes(name)) this.findings.push({ path, message: `there is no ${name}${suggest(name, names)}` });
  }

  #ruleNames(): readonly string[] {
    return this.#rulebook.config.policy.rules.map(({ name }) => name);
  }

  #caller({ issuer, issuer_name, subject, groups, ...claims }: WrittenCaller, path: Finding["path"]): Caller {
    const { issuers } = this.#rulebook.config.identity;
    const meant = issuer === undefined && issuer_name === undefined && issuers.length === 1 ? issuers[0] : undefined;
    const found = meant ?? issuers.find((one) => one.name === issuer_name || one.issuer === issuer);
    if (found === undefined) {
      const names = issuers.map(({ name }) => name);
      const written = issuer_name ?? issuer;
      const message =
        written === undefined
          ? `needs an issuer_name: one of ${names.join(", ")}`
          : `there is no issuer ${written}${suggest(written, names)}`;
      this.findings.push({ path, message });
      return nobody;
    }
    // GitHub writes its ids as text, and a test with a number would test a caller that cannot be.
    for (const [claim, value] of Object.entries(claims))
      if (found.kind === "github" && typeof value === "bigint")
        this.findings.push({ path: [...path, claim], message: `is text in GitHub's tokens: write "${value}"` });
    return { issuer: found.issuer, issuer_name: found.name, subject: subject ?? "", groups: groups ?? [], claims };
  }
}

/** Stands where a finding has been made, so that the others are found too. */
const nobody: Caller = { issuer: "", issuer_name: "", subject: "", groups: [], claims: {} };

type Pairs = Readonly<Record<string, readonly string[]>>;

const pairsOf = (pairs: Pairs): (readonly [string, string])[] =>
  Object.entries(pairs).flatMap(([name, values]) => values.map((value) => [name, value] as const));

const queryOf = (pairs: Pairs): string =>
  pairsOf(pairs)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");

/** JSON says that it is JSON, unless the test says otherwise. */
const headersOf = ({ headers, body }: WrittenTest["request"]): HeaderList => {
  const written = pairsOf(headers);
  const typed = written.some(([name]) => name.toLowerCase() === "content-type");
  return body === undefined || typeof body === "string" || typed
    ? written
    : [...written, ["content-type", "application/json"]];
};

/** Text as it stands; everything else as JSON in which no number loses a digit. */
const bytesOf = (body: unknown): Buffer | null => {
  if (body === undefined) return null;
  return Buffer.from(typeof body === "string" ? body : (stringify(body) ?? ""));
};
