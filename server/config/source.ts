/** Reads dogwatch.yaml as text with places: YAML to plain values, `${env:…}` and `${file:…}` to what they stand for, paths to lines. */

import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import type { Finding, Problem } from "../model/config.ts";

/** A finding that may point at the key instead of its value. */
export type Located = Finding & { readonly at?: "key" };

export type Source = {
  readonly value: unknown;
  /** Paths (`a.0.b`) whose value came from the environment or a file: no message shows it. */
  readonly expanded: ReadonlySet<string>;
  readonly place: (finding: Located) => Problem;
};

const largestFile = 2 ** 20;
const largestSecret = 2 ** 16;

/** The text of `file`, or why it cannot be used. */
export const readText = (file: string): string | Problem[] => {
  try {
    if (statSync(file).size > largestFile) return [wholeFile(file, "is larger than 1 MiB")];
    return readFileSync(file, "utf8");
  } catch (error) {
    return [wholeFile(file, `cannot be read: ${systemReason(error)}`)];
  }
};

export type Surroundings = {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `refused`: neither the environment nor a file is looked at, whatever the text names. */
  readonly references?: "expanded" | "refused";
};

export const parseSource = (text: string, { file, env, references = "expanded" }: Surroundings): Source | Problem[] => {
  const lines = new LineCounter();
  const at = (offset: number) => ({ file, line: lines.linePos(offset).line, column: lines.linePos(offset).col });
  const document = parseYaml(text, lines);
  if (document === undefined) return [wholeFile(file, "is nested too deeply")];
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    return broken.map((error) => ({ path: [], message: yamlReason(error, text), ...at(error.pos[0]) }));
  const twisted = twistedNodes(document);
  if (twisted === null) return [wholeFile(file, "is nested too deeply")];
  if (twisted.length > 0) return twisted.map(({ message, offset }) => ({ path: [], message, ...at(offset) }));
  const plain = toPlain(document);
  if ("refused" in plain) return [wholeFile(file, plain.refused)];

  const place = (finding: Located): Problem => {
    const { at: _at, ...rest } = finding;
    return { ...rest, ...at(offsetOf(document, finding, text)) };
  };
  const expansion = new Expansion(references === "refused" ? null : { directory: dirname(resolve(file)), env });
  const value = expansion.expand(plain.value, []);
  if (expansion.findings.length > 0) return expansion.findings.map(place);
  return { value, expanded: expansion.expanded, place };
};

/** Absolute paths of everything `${file:…}` names, whether it exists or not. */
export const referencedFiles = (text: string, file: string): string[] =>
  [...text.matchAll(/\$\{file:([^}]+)\}/g)].map(([, path = ""]) => resolve(dirname(resolve(file)), path));

const wholeFile = (file: string, message: string): Problem => ({ file, line: 1, column: 1, path: [], message });

const parseYaml = (text: string, lineCounter: LineCounter): Document.Parsed | undefined => {
  try {
    // Pretty errors quote the source, which may hold a secret.
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true, version: "1.2" });
  } catch {
    return undefined;
  }
};

type Twist = { readonly message: string; readonly offset: number };

/** Nobody writes a configuration that deep, and whatever reads it after this goes down as far. */
const deepest = 100;

/** Aliases of nothing, and aliases that stand inside what they repeat; null when it is too deep to look. */
const twistedNodes = (document: Document.Parsed): Twist[] | null => {
  const found: Twist[] = [];
  let tooDeep = false;
  try {
    visit(document, {
      Alias: (_key, alias, path) => {
        const meant = alias.resolve(document);
        const offset = alias.range?.[0] ?? 0;
        if (meant === undefined) found.push({ message: `the alias *${alias.source} has no anchor`, offset });
        else if (path.some((ancestor) => ancestor === meant))
          found.push({ message: `the alias *${alias.source} stands inside what it repeats`, offset });
      },
      Collection: (_key, _node, path) => {
        // A map's pair is a step of its own.
        tooDeep ||= path.length > 2 * deepest;
        return tooDeep ? visit.BREAK : undefined;
      },
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return tooDeep ? null : found;
};

const toPlain = (document: Document.Parsed): { readonly value: unknown } | { readonly refused: string } => {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return { refused: "repeats its aliases too often" };
  }
};

const yamlReason = (error: YAMLError, text: string): string => {
  if (error.message.startsWith("Maximum call stack")) return "is nested too deeply";
  if (error.code !== "DUPLICATE_KEY") return `not valid YAML: ${error.message.split("\n")[0]}`;
  const key = /^[\w.-]{1,64}/.exec(text.slice(error.pos[0]))?.[0];
  return `the key ${key ?? "here"} is written twice; keep one of them`;
};

/** Where the value (or key) at a path stands; for what is not there, the innermost map or list that should have it. */
const offsetOf = (document: Document.Parsed, finding: Located, text: string): number => {
  let node: Node | null = document.contents;
  let key: Node | null = null;
  for (const step of finding.path) {
    const parent = resolved(node, document);
    // What may be one or a list has its first entry where the list would be.
    if (step === 0 && parent !== null && !isSeq(parent)) continue;
    const next = childOf(parent, step);
    if (next === undefined) return node?.range?.[0] ?? key?.range?.[0] ?? 0;
    ({ node, key } = next);
  }
  if (finding.at === "key" && key?.range) return key.range[0];
  const start = node?.range?.[0] ?? key?.range?.[0] ?? 0;
  return finding.offset === undefined ? start : insideScalar(node, finding.offset, text);
};

const resolved = (node: Node | null, document: Document.Parsed): Node | null =>
  isAlias(node) ? (node.resolve(document) ?? null) : node;

type Child = { readonly node: Node | null; readonly key: Node | null };

const childOf = (parent: Node | null, step: string | number): Child | undefined => {
  if (isSeq<Node>(parent)) {
    const item = typeof step === "number" ? parent.items[step] : undefined;
    return item && { node: item, key: null };
  }
  if (!isMap<Node, Node | null>(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair && { node: pair.value, key: pair.key };
};

/** The place of the n-th character of a scalar's value: exact for plain, quoted and block text as people write it. */
const insideScalar = (node: Node | null, offset: number, text: string): number => {
  if (!isScalar(node) || !node.range || typeof node.value !== "string") return node?.range?.[0] ?? 0;
  const [start, end] = node.range;
  const written = text.slice(start, end);
  const before = node.value.slice(0, offset);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const fullLine = node.value.slice(offset - line.length).split("\n")[0] ?? "";
  // Quotes, escapes and folding shift characters; a line that is written as it reads does not.
  const written1 = fullLine === "" ? -1 : written.indexOf(fullLine);
  return written1 === -1 ? start : start + written1 + line.length;
};

/** Where references lead. */
type Known = { readonly directory: string; readonly env: Surroundings["env"] };

/** Replaces references in every text except conditions, and notes what it replaced and what it could not. */
class Expansion {
  readonly findings: Finding[] = [];
  readonly expanded = new Set<string>();
  readonly #known: Known | null;
  /** @param known null: every reference is refused */
  constructor(known: Known | null) {
    this.#known = known;
  }

  expand(value: unknown, path: readonly (string | number)[]): unknown {
    if (typeof value === "string") return value.includes("${") ? this.#expandText(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => this.expand(item, [...path, index]));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.expand(member, [...path, key])]));
  }

  #expandText(text: string, path: readonly (string | number)[]): string {
    const key = path.at(-1);
    if (key === "when" || key === "allow" || (path[0] === "policy" && path[1] === "rules")) {
      // Policies are kept and shown: nothing secret may come into them.
      const where = key === "when" || key === "allow" ? "conditions" : "rules";
      this.findings.push({ path, message: `\${…} is not replaced in ${where}: write the value itself` });
      return text;
    }
    this.expanded.add(path.join("."));
    return text.replaceAll(/\$\{([^}]*)(\}?)/g, (whole, reference: string, closed: string) => {
      const found = closed === "" ? { refused: "${ without }" } : this.#look(reference);
      if ("value" in found) return found.value;
      this.findings.push({ path, message: found.refused });
      return whole;
    });
  }

  #look(reference: string): { readonly value: string } | { readonly refused: string } {
    const known = this.#known;
    if (known === null) return { refused: "${…} is not replaced in a text that is only tried: write the value itself" };
    const [, kind, what = ""] = /^(env|file):(.+)$/.exec(reference) ?? [];
    if (kind === "env") {
      const value = known.env[what];
      if (value === undefined) return { refused: `the environment variable ${what} is not set` };
      return value === "" ? { refused: `the environment variable ${what} is empty` } : { value };
    }
    if (kind === "file") return readSecret(resolve(known.directory, what), what);
    return {
      refused: /^\w{1,64}$/.test(reference)
        ? `write \${env:${reference}} for an environment variable`
        : "write ${env:NAME} or ${file:PATH}",
    };
  }
}

const readSecret = (file: string, written: string): { readonly value: string } | { readonly refused: string } => {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return { refused: `${written} is not a file` };
    if (stat.size > largestSecret) return { refused: `${written} is larger than 64 KiB` };
    const value = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    return value === "" ? { refused: `${written} is empty` } : { value };
  } catch (error) {
    return { refused: `${written} cannot be read: ${systemReason(error)}` };
  }
};

const systemReason = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    default:
      return code === "" ? "unknown reason" : code;
  }
};
