/** action.yml and every workflow that the documents show pass GitHub's own language service, and say what the code does. */

import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

type Diagnostic = { readonly message: string; readonly range: { readonly start: { readonly line: number } } };
type Manifest = {
  inputs: Record<string, { default?: string; required?: boolean }>;
  outputs: object;
  runs: Record<string, string>;
};
type LanguageService = {
  validate(document: object, config: object): Promise<Diagnostic[]>;
  TextDocument: { create(uri: string, language: string, version: number, text: string): object };
};

const manifest = parse(read("action.yml")) as Manifest;

let directory: string;
let service: LanguageService;

/** Its modules import JSON without saying so, which Node refuses; bundled, it loads. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "dogwatch-languageservice-"));
  const outfile = join(directory, "service.mjs");
  const contents = `export { validate } from "@actions/languageservice"; export { TextDocument } from "vscode-languageserver-textdocument";`;
  const banner = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: banner },
    outfile,
    logLevel: "error",
  });
  service = (await import(pathToFileURL(outfile).href)) as LanguageService;
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** `OWNER/dogwatch` is this action; of others nothing is known here. */
const actionsMetadataProvider = {
  fetchActionMetadata: async ({ owner, name }: { owner: string; name: string }) =>
    `${owner}/${name}` === "OWNER/dogwatch" ? manifest : undefined,
};

const isUnknownAction = (message: string): boolean =>
  message.startsWith("Unable to resolve action") && !message.includes("OWNER/dogwatch");

const complaints = async (path: string, text: string): Promise<string[]> => {
  const document = service.TextDocument.create(`file:///${path}`, "yaml", 1, text);
  const found = await service.validate(document, { actionsMetadataProvider });
  return found
    .filter(({ message }) => !isUnknownAction(message))
    .map(({ message, range }) => `${path}:${range.start.line + 1}: ${message}`);
};

describe("the language service", () => {
  test("finds what is wrong with a workflow and with an action: it does look", async () => {
    const workflow =
      "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: OWNER/dogwatch@v1\n        with: { gateway: x }\n";
    expect((await complaints(".github/workflows/a.yml", workflow)).join("\n")).toMatch(/gateway/);
    expect(await complaints("wrong/action.yml", "name: a\nruns:\n  using: node24\n  mian: x\n")).not.toEqual([]);
  });

  test("accepts action.yml", async () => {
    expect(await complaints("action.yml", read("action.yml"))).toEqual([]);
  });

  const examples = globSync(["docs/examples/*.yml", ".github/workflows/*.yml"], { cwd: root });
  test.each(examples)("accepts %s", async (path) => {
    expect(await complaints(`.github/workflows/${path.split("/").at(-1)}`, read(path))).toEqual([]);
  });

  const blocks = globSync(["*.md", "docs/*.md"], { cwd: root }).flatMap((path) =>
    [...read(path).matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
      .map(([, text]) => text as string)
      .filter((text) => /^jobs:/m.test(text))
      .map((text, index) => [`${path}, block ${index + 1}`, text] as const),
  );
  test.each(blocks)("accepts the workflow in %s", async (path, text) => {
    expect(await complaints(`.github/workflows/${path.replace(/\W/g, "-")}.yml`, text)).toEqual([]);
  });
});

describe("action.yml", () => {
  test("runs the bundle on Node 24, and post always", () => {
    expect(manifest.runs).toEqual({
      using: "node24",
      main: "dist/main.js",
      post: "dist/post.js",
      "post-if": "always()",
    });
  });

  test("declares exactly the inputs and outputs that the code reads and sets", () => {
    const code = ["action/inputs.ts", "action/main.ts"].map(read).join("\n");
    const inputs = [...code.matchAll(/(?:getInput|oneOf)\("([a-z-]+)"/g)].map(([, name = ""]) => name);
    expect([...new Set(inputs)].toSorted()).toEqual(Object.keys(manifest.inputs).toSorted());
    const outputs = [...code.matchAll(/setOutput\("([a-z-]+)"/g)].map(([, name = ""]) => name);
    expect(outputs.toSorted()).toEqual(Object.keys(manifest.outputs).toSorted());
  });

  test("is described input by input in the documents", () => {
    const page = read("docs/github-action.md");
    for (const name of Object.keys(manifest.inputs)) expect(page).toContain(`| \`${name}\` |`);
    for (const name of Object.keys(manifest.outputs)) expect(page).toContain(`\`${name}\``);
  });
});
