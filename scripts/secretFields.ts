/**
 * Generates server/datadog/secretFields.generated.json and docs/secret-fields.md: walks the types that the pinned official client sends and
 * reads, and follows every attribute that server/datadog/secretFields.ts judges to be a secret. `--check` only says whether both are current.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { GeneratedSecretFields, SecretField } from "../server/datadog/secretFields.ts";
import { byHand, judged } from "../server/datadog/secretJudgement.ts";

const target = join(import.meta.dirname, "../server/datadog/secretFields.generated.json");
const page = join(import.meta.dirname, "../docs/secret-fields.md");

export type Generated = { readonly client: string; readonly operations: readonly GeneratedSecretFields[] };

type Attribute = { readonly baseName: string; readonly type: string };
type Model = { readonly name: string; readonly attributes: readonly Attribute[] };

/** The types of one version of the API. */
type Types = {
  readonly version: string;
  readonly model: (name: string) => Model | undefined;
  readonly unions: ReadonlyMap<string, readonly string[]>;
};

/** Throws, naming the place, when the client's code no longer looks as expected, or has a new name that nobody has judged. */
export function readClient(): Generated {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve("@datadog/datadog-api-client/package.json");
  const operations = ["v1", "v2"].flatMap((version) => {
    const folder = join(dirname(manifest), `dist/packages/datadog-api-client-${version}`);
    const types = readTypes(version, join(folder, "models"));
    const names = unjudged(version, join(folder, "models"));
    if (names.length > 0)
      throw new Error(`is it a secret? Say so in server/datadog/secretJudgement.ts: ${names.join(", ")}`);
    return readdirSync(join(folder, "apis"))
      .filter((file) => file.endsWith("Api.js"))
      .toSorted()
      .flatMap((file) => readApi(types, join(folder, "apis", file)));
  });
  if (operations.length === 0) throw new Error("no operation with secrets found; has the client's generator changed?");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { client: version, operations };
}

function readTypes(version: string, folder: string): Types {
  const serializer = readFileSync(join(folder, "ObjectSerializer.js"), "utf8");
  const unions = new Map<string, readonly string[]>();
  const table = serializer.slice(serializer.indexOf("const oneOfMap = {"));
  for (const [, name = "", members = ""] of table.matchAll(/^ {4}(\w+): \[([^\]]*)\]/gm))
    unions.set(
      name,
      [...members.matchAll(/"([^"]+)"/g)].map(([, member = ""]) => member),
    );
  if (unions.size === 0) throw new Error(`${folder}: no unions found; has the client's generator changed?`);
  const read = new Map<string, Model | undefined>();
  const model = (name: string): Model | undefined => {
    if (!read.has(name)) read.set(name, readModel(folder, name));
    return read.get(name);
  };
  return { version, model, unions };
}

function readModel(folder: string, name: string): Model | undefined {
  let source: string;
  try {
    source = readFileSync(join(folder, `${name}.js`), "utf8");
  } catch {
    return undefined;
  }
  return { name, attributes: attributesIn(source) };
}

const attributesIn = (source: string): Attribute[] =>
  [...source.matchAll(/baseName: "([^"]+)",\s*type: "([^"]+)"/g)].map(([, baseName = "", type = ""]) => ({
    baseName,
    type,
  }));

/** What a new client calls a secret has to be looked at by somebody. */
function unjudged(version: string, folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "ObjectSerializer.js");
  return files.flatMap((file) =>
    attributesIn(readFileSync(join(folder, file), "utf8"))
      .filter(({ baseName, type }) => isText(type) && soundsSecret.test(baseName))
      .map(({ baseName }) => ({ baseName, id: `${version}.${file.slice(0, -3)}.${baseName}` }))
      .filter(
        ({ baseName, id }) =>
          !judged.attributes.has(baseName) &&
          ![baseName, id].some((name) => judged.harmless.has(name)) &&
          !judged.models.has(id),
      )
      .map(({ id }) => id),
  );
}

const soundsSecret = /secret|passw|credential|private_?key|api_?key|access_?token|auth_?token/i;

const isText = (type: string): boolean =>
  type === "string" || type === "any" || type.startsWith("{ [key: string]: ") || type === "Array<string>";

function readApi(types: Types, file: string): GeneratedSecretFields[] {
  const source = readFileSync(file, "utf8");
  const api = /(\w+)\.js$/.exec(file)?.[1];
  const [requests = "", responses = ""] = source.split(/class \w+ResponseProcessor \{/);
  const sent = new Map(
    requests
      .split('const localVarPath = "')
      .slice(1)
      .map((body) => [/\.getServer\("v[12]\.\w+\.(\w+)"\)/.exec(body)?.[1] ?? "", body] as const),
  );
  const read = new Map(
    responses
      .split("@params response Response returned by the server for a request to ")
      .slice(1)
      .map((body) => [/^\w+/.exec(body)?.[0] ?? "", body] as const),
  );
  return [...sent].flatMap(([name, body]) => {
    const request = typesIn(body, /ObjectSerializer\.serialize\(body, "([^"]+)"/g);
    const response = typesIn(read.get(name) ?? "", /ObjectSerializer\.deserialize\([^;]*?, "([^"]+)", ""\)/g);
    const fields = {
      id: `${types.version}.${api}.${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      request: fieldsOf(types, request),
      response: fieldsOf(types, response),
    };
    return fields.request.length + fields.response.length > 0 ? [fields] : [];
  });
}

const typesIn = (source: string, pattern: RegExp): string[] => [
  ...new Set([...source.matchAll(pattern)].map(([, type = ""]) => type).filter((type) => type !== "APIErrorResponse")),
];

const deepest = 14;

function fieldsOf(types: Types, names: readonly string[]): SecretField[] {
  const found = new Map<string, SecretField>();
  for (const name of names) walk({ types, found, trail: [] }, "$", name);
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

type Walk = { readonly types: Types; readonly found: Map<string, SecretField>; readonly trail: readonly string[] };

/** A type that contains itself is followed once: what lies deeper has the same names, which masks find by themselves. */
function walk({ types, found, trail }: Walk, path: string, type: string): void {
  const element = /^Array<(.+)>$/.exec(type)?.[1];
  if (element !== undefined) return walk({ types, found, trail }, `${path}[*]`, element);
  const value = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (value !== undefined) return walk({ types, found, trail }, `${path}.*`, value);
  if (trail.includes(type) || trail.length > deepest) return;
  const deeper = { types, found, trail: [...trail, type] };
  for (const member of types.unions.get(type) ?? []) walk(deeper, path, member);
  for (const attribute of types.model(type)?.attributes ?? []) visit(deeper, path, { model: type, attribute });
}

function visit(
  deeper: Walk,
  path: string,
  { model, attribute }: { readonly model: string; readonly attribute: Attribute },
): void {
  const { baseName, type } = attribute;
  if (baseName === "additionalProperties") return;
  const id = `${deeper.types.version}.${model}.${baseName}`;
  const here = /^[A-Za-z_][\w-]*$/.test(baseName) ? `${path}.${baseName}` : `${path}['${baseName}']`;
  const unless = judged.conditional.get(id);
  if (unless !== undefined) add(deeper.found, { path: here, unless });
  else if (judged.attributes.has(baseName) || judged.models.has(id)) addSecret(deeper, here, type);
  else walk(deeper, here, type);
}

/** A secret that is a map or a list is secret in all its texts; a model has attributes of its own, each judged by itself. */
function addSecret(deeper: Walk, path: string, type: string): void {
  if (type === "string") return add(deeper.found, { path });
  if (type === "Array<string>") return add(deeper.found, { path: `${path}[*]` });
  if (/^\{ \[key: string\]: (string|any); \}$/.test(type) || type === "any")
    return add(deeper.found, { path: `${path}.*` });
  walk(deeper, path, type);
}

const add = (found: Map<string, SecretField>, field: SecretField): void => {
  found.set(field.path, field);
};

/** One operation a line, so that a new client release is a diff people can read. */
export function formatFields({ client, operations }: Generated): string {
  const lines = operations.map((operation) => `    ${JSON.stringify(operation)}`);
  return `{\n  "client": ${JSON.stringify(client)},\n  "operations": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

export function formatPage({ client, operations }: Generated): string {
  const row = ({ path, unless }: SecretField): string =>
    unless === undefined ? `\`${path}\`` : `\`${path}\`, unless \`${unless}\` is false`;
  const cell = (fields: readonly SecretField[]): string => (fields.length === 0 ? "–" : fields.map(row).join("<br>"));
  const rows = operations.map(({ id, request, response }) => `| \`${id}\` | ${cell(request)} | ${cell(response)} |`);
  const hand = byHand.flatMap(({ operations: ids, request = [], response = [], why }) =>
    ids.map((id) => `| \`${id}\` | ${cell(request)} | ${cell(response)} | ${why} |`),
  );
  return `# Known secret fields

Fields of Datadog's API that hold secrets. They are masked in every recording, whatever the configuration says; replies show them unless a mask names
them ([masks.md](masks.md)). Keys in paths are hidden too. \`[*]\` stands for every element of a list, \`.*\` for every member of a map.

This page is generated (\`npm run secret-fields\`) from the types of \`@datadog/datadog-api-client\` ${client} and the judgement in
\`server/datadog/secretJudgement.ts\`; a check keeps it current, and a new client with a name nobody has judged stops it.

## From the client's types: ${operations.length} operations

| operation | request | response |
|---|---|---|
${rows.join("\n")}

## By hand: what the types do not show

| operation | request | response | why |
|---|---|---|---|
${hand.join("\n")}
`;
}

/** Are the checked-in files what the installed client says? */
export function isCurrent(): boolean {
  const generated = readClient();
  return (
    readFileSync(target, "utf8") === formatFields(generated) && readFileSync(page, "utf8") === formatPage(generated)
  );
}

if (process.argv[1] !== undefined && pathToFileURL(resolve(process.argv[1])).href === import.meta.url) {
  if (process.argv.includes("--check")) {
    const current = isCurrent();
    console.log(current ? "secret fields are current" : "secret fields are stale: run `node scripts/secretFields.ts`");
    process.exitCode = current ? 0 : 1;
  } else {
    const generated = readClient();
    writeFileSync(target, formatFields(generated));
    writeFileSync(page, formatPage(generated));
    console.log(`${target}: ${generated.operations.length} operations of client ${generated.client}`);
  }
}
