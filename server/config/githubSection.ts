/** The `github` section of dogwatch.yaml, put in or changed so that every other character of the file stays as it was. */

import { Document, isMap, isScalar, type Pair, parseDocument, type ParsedNode, type Scalar, YAMLMap } from "yaml";

/** What an App's making says; the keys of an old section that are not among these stay. */
export type GitHubSection = {
  /** Undefined for github.com. */
  readonly apiUrl: string | undefined;
  /** In digits. */
  readonly appId: string;
  /** Files, as `${file:…}` names them. */
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Undefined: not asked for. */
  readonly issues: true | undefined;
};

export type SectionText = {
  /** The whole file; null where the section cannot be put in without changing the rest. */
  readonly text: string | null;
  /** The section alone. */
  readonly yaml: string;
};

/** `remark`: one line above the section, where it is new. */
export function withGitHubSection(text: string, section: GitHubSection, remark: string): SectionText {
  const document = parseDocument(text, { uniqueKeys: true, version: "1.2" });
  const old = document.errors.length > 0 ? null : pairOf(document.contents);
  const yaml = sectionYaml(section, isMap(old?.value) ? old.value : null);
  if (document.errors.length > 0) return { text: null, yaml };
  const changed = old === null ? appended(text, `# ${remark}\n${yaml}`) : replaced(text, old, yaml);
  return { text: changed !== null && onlyDiffers(text, changed) ? changed : null, yaml };
}

type GitHubPair = Pair<Scalar.Parsed, ParsedNode | null>;

const pairOf = (contents: ParsedNode | null): GitHubPair | null =>
  isMap(contents)
    ? ((contents.items.find(({ key }) => isScalar(key) && key.value === "github") as GitHubPair | undefined) ?? null)
    : null;

/** An old section keeps its other keys and its comments. */
function sectionYaml({ apiUrl, appId, ...rest }: GitHubSection, old: YAMLMap | null): string {
  const document = new Document<YAMLMap>();
  const map = old === null ? new YAMLMap() : (old.clone() as YAMLMap);
  map.flow = false;
  for (const [key, value] of Object.entries({ apiUrl, appId: numberOf(appId), ...rest })) {
    if (value !== undefined) map.set(key, value);
    else if (key === "apiUrl") map.delete(key);
  }
  document.contents = new YAMLMap();
  document.contents.set("github", map);
  return document.toString({ lineWidth: 0 });
}

const numberOf = (digits: string): number | string => (Number.isSafeInteger(Number(digits)) ? Number(digits) : digits);

const appended = (text: string, section: string): string =>
  text.trim() === "" ? section : `${text.replace(/\n*$/, "")}\n\n${section}`;

/** Null where the section does not stand in lines of its own. */
function replaced(text: string, { key, value }: GitHubPair, section: string): string | null {
  const start = key.range[0];
  const end = value?.range[2] ?? value?.range[1] ?? key.range[2];
  if (start !== 0 && text[start - 1] !== "\n") return null;
  return text.slice(0, start) + section + text.slice(end);
}

/** A file whose top is written in another way than a map of lines is left alone. */
function onlyDiffers(before: string, after: string): boolean {
  const [one, other] = [before, after].map((text) => {
    const document = parseDocument(text, { uniqueKeys: true, version: "1.2" });
    const value: unknown = document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 100 });
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return JSON.stringify({ ...value, github: undefined });
  });
  return other !== null && (one === other || (one === null && before.trim() === ""));
}
