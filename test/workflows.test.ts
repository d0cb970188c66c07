/** action.yml, our workflows and every workflow in the documents pass GitHub's own validator, with the inputs that action.yml has. */

import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

type Action = { name: string; inputs?: Record<string, { required?: boolean; default?: unknown }> };
type Validate = (
  document: { uri: string },
  config: {
    actionsMetadataProvider: { fetchActionMetadata(reference: { name: string }): Promise<Action | undefined> };
  },
) => Promise<{ message: string; range: { start: { line: number } } }[]>;
type Service = {
  validate: Validate;
  TextDocument: { create(uri: string, language: string, version: number, text: string): { uri: string } };
};

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(root + file, "utf8");
const action = parse(read("action.yml")) as Action & { runs: { main: string; post: string; using: string } };

/** Somebody else's: that it exists, and what it takes, cannot be looked up here. */
const unknownAction: Action = { name: "unknown" };

let service: Service;
let documents = 0;
const folder = mkdtempSync(join(tmpdir(), "dogwatch-workflows-"));

// The package imports JSON in a way that only bundlers understand.
beforeAll(async () => {
  const outfile = join(folder, "service.mjs");
  const contents = `export { validate } from "@actions/languageservice"; export { TextDocument } from "vscode-languageserver-textdocument";`;
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  service = (await import(pathToFileURL(outfile).href)) as Service;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function complaints(file: string, text: string): Promise<string[]> {
  // A name of its own for every text: the service keeps what it parsed by name.
  documents += 1;
  const document = service.TextDocument.create(`file:///${documents}/${file}`, "yaml", 0, text);
  const found = await service.validate(document, {
    actionsMetadataProvider: {
      fetchActionMetadata: async ({ name }) => (name === "dogwatch" ? action : unknownAction),
    },
  });
  return found.map(({ message, range }) => `${file}:${range.start.line + 1}: ${message}`);
}

/** Whole workflows as they are; a snippet of `permissions` and `steps` becomes the job that it is of. */
const snippets = globSync(["*.md", "docs/*.md"], { cwd: root }).flatMap((document) =>
  [...read(document).matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, text = ""], index) => ({ name: `${document}, block ${index + 1}`, text }))
    .filter(({ text }) => /^\s*steps:/m.test(text))
    .map(({ name, text }) => ({
      name,
      text: /^jobs:/m.test(text)
        ? text
        : stringify({ on: "push", jobs: { job: { "runs-on": "ubuntu-latest", ...(parse(text) as object) } } }),
    })),
);

describe("GitHub's validator", () => {
  test("accepts action.yml", async () => {
    expect(await complaints("action.yml", read("action.yml"))).toEqual([]);
  });

  test.each(globSync(".github/workflows/*.yml", { cwd: root }))("accepts %s", async (file) => {
    expect(await complaints(file, read(file))).toEqual([]);
  });

  test("there are workflows in the documents", () => {
    expect(snippets.length).toBeGreaterThanOrEqual(2);
  });

  test.each(snippets)("accepts the workflow in $name", async ({ text }) => {
    expect(await complaints(".github/workflows/snippet.yml", text)).toEqual([]);
  });

  test("would complain of an input that action.yml has not", async () => {
    const text = snippets[0]?.text.replace("gateway-url:", "gateway-uri:") ?? "";
    expect((await complaints(".github/workflows/snippet.yml", text)).join()).toContain("gateway-ur");
  });
});

describe("workflows", () => {
  const workflows = globSync(".github/workflows/*.yml", { cwd: root });

  test("pin every action by its commit, and say which version that is", () => {
    const loose = workflows.flatMap((file) =>
      [...read(file).matchAll(/uses: (\S+)(.*)$/gm)]
        .filter(([, uses = "", rest = ""]) => !/@[0-9a-f]{40}$/.test(uses) || !/# v\d/.test(rest))
        .map(([line]) => `${file}: ${line}`),
    );
    expect(loose).toEqual([]);
  });

  test("have no more rights than reading, unless a job asks for them", () => {
    const rights = workflows.map((file) => (parse(read(file)) as { permissions?: unknown }).permissions);
    expect(rights).toEqual(workflows.map(() => ({ contents: "read" })));
  });
});

test("action.yml runs on the runner's Node 24 what is in dist/", () => {
  expect(action.runs).toMatchObject({ using: "node24", main: "dist/main.js", post: "dist/post.js" });
});
