/** Who may import whom, as data; and that what the documents say about files is true. */

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The first row whose `part` a file's path begins with is its row. `own` is the row's own folder; for a stage that is the folder
 * of the one stage. `types` may be imported as types only: what is read there comes in as a parameter.
 */
const table: readonly { part: string; may: readonly string[]; types?: readonly string[] }[] = [
  {
    part: "server/main.ts",
    may: [
      "server/app.ts",
      "server/rulebook.ts",
      "server/config/",
      "server/cli/",
      "server/demo/",
      "server/errors.ts",
      "action/run.ts",
      "package.json",
    ],
  },
  { part: "server/app.ts", may: ["server/", "package.json"] },
  // What app.ts joins, part by part.
  { part: "server/keyFile.ts", may: [] },
  { part: "server/maskKeys.ts", may: ["server/keyFile.ts", "server/model/", "server/stages/mask/token/keys.ts"] },
  {
    part: "server/signKeys.ts",
    may: ["server/keyFile.ts", "server/model/", "server/stages/seal/note.ts"],
    types: ["server/journeys/seal/grow.ts"],
  },
  { part: "server/upkeep.ts", may: ["server/checkpointFile.ts", "server/journeys/", "server/store/", "server/model/"] },
  { part: "server/checkpointFile.ts", may: ["server/model/"], types: ["server/journeys/seal/grow.ts"] },
  {
    part: "server/signIn.ts",
    may: ["server/journeys/signIn.ts", "server/github/", "server/oidc/", "server/model/"],
  },
  { part: "server/approvals.ts", may: ["server/journeys/", "server/github/", "server/store/", "server/model/"] },
  {
    part: "server/errands.ts",
    may: ["server/journeys/", "server/store/", "server/model/"],
    types: [
      "server/approvals.ts",
      "server/rules.ts",
      "server/datadog/catalogue.ts",
      "server/stages/mask/token/keys.ts",
    ],
  },
  {
    part: "server/setup.ts",
    may: ["server/config/", "server/github/", "server/journeys/setup.ts", "server/store/", "server/model/"],
  },
  {
    part: "server/rules.ts",
    may: [
      "server/rulebook.ts",
      "server/config/",
      "server/stages/",
      "server/datadog/catalogue.ts",
      "server/store/",
      "server/model/",
    ],
  },
  {
    part: "server/rulebook.ts",
    may: [
      "server/config/",
      "server/stages/decide/",
      "server/stages/mask/",
      "server/datadog/catalogue.ts",
      "server/model/",
    ],
  },
  {
    // In its process it decides what was recorded again, as the command does.
    part: "server/tryPolicy",
    may: [
      "own",
      "server/rulebook.ts",
      "server/config/",
      "server/journeys/policy/",
      "server/store/",
      "server/datadog/catalogue.ts",
      "server/model/",
      "server/errors.ts",
    ],
  },
  {
    part: "server/cli/",
    may: [
      "own",
      "server/app.ts",
      "server/rulebook.ts",
      "server/config/",
      "server/demo/",
      // The commands about a policy decide what was recorded again: they join those parts as app.ts joins a gateway's.
      "server/journeys/policy/",
      // What answers from a recording leads clients to itself as the relay does, and knows neither gateway nor database.
      "server/journeys/recorded/",
      "action/environment.ts",
      "action/log.ts",
      "action/network.ts",
      "action/signals.ts",
      "action/trust.ts",
      "action/relay/authority.ts",
      "action/relay/tunnel.ts",
      // What verifies recordings knows neither gateway nor database.
      "server/stages/seal/",
      // The command that makes the GitHub App joins its parts, and shows a browser the same pages as a gateway.
      "server/setup.ts",
      "server/journeys/setup.ts",
      "server/github/",
      "server/web/",
      "server/store/",
      "server/datadog/catalogue.ts",
      "server/model/",
      "server/contract.ts",
      "server/errors.ts",
      "action/run.ts",
    ],
  },
  { part: "server/demo/", may: ["server/", "action/"] },
  {
    part: "server/http/",
    // `reply` too: a request that cannot even be parsed gets the same shape of answer as all others.
    may: [
      "own",
      "server/web/",
      "server/journeys/",
      "server/stages/reply/",
      "server/contract.ts",
      "server/model/",
      "server/errors.ts",
    ],
    types: ["server/store/"],
  },
  // What runs in browsers is bundled from its own files; of the server it knows the shape of its answers.
  {
    part: "server/web/app/",
    may: ["own", "server/web/unseen.ts", "server/web/searching.ts", "server/web/errands.ts"],
    types: ["server/contract.ts"],
  },
  {
    part: "server/web/",
    may: ["own", "dist/web/assets.json", "server/journeys/", "server/contract.ts", "server/model/", "server/errors.ts"],
    types: ["server/store/"],
  },
  // A journey hands Datadog's words (slots, hosts, catalogue) from stage to stage; its credentials are another matter, see below.
  {
    part: "server/journeys/",
    // What a job's claims name is asked by whoever asks people about it.
    may: [
      "own",
      "server/stages/",
      "server/datadog/",
      "server/github/oidc.ts",
      // What a browser takes to GitHub is put together by whoever sends it there.
      "server/github/manifest.ts",
      "server/store/",
      "server/model/",
      "server/errors.ts",
    ],
  },
  {
    part: "server/stages/",
    may: ["own", "server/datadog/", "server/github/", "server/store/", "server/model/", "server/errors.ts"],
  },
  { part: "server/datadog/", may: ["own", "server/model/", "server/errors.ts"] },
  { part: "server/github/", may: ["own", "server/model/", "server/errors.ts"] },
  { part: "server/oidc/", may: ["own", "server/model/", "server/errors.ts"] },
  { part: "server/store/", may: ["own", "server/model/", "server/errors.ts"] },
  { part: "server/config/", may: ["own", "server/model/", "server/errors.ts", "server/datadog/hosts.ts"] },
  { part: "server/model/", may: ["own", "server/errors.ts"] },
  { part: "server/errors.ts", may: ["server/model/"] },
  { part: "server/contract.ts", may: ["server/model/", "server/errors.ts"] },
  { part: "action/", may: ["own", "server/contract.ts"] },
];

/** Packages that one part of the product keeps to itself. */
const packages: readonly { package: RegExp; only: readonly string[]; why: string }[] = [
  {
    package: /^(fastify|@fastify\/)/,
    only: ["server/http/", "server/web/", "server/app.ts"],
    why: "Fastify lives in http only",
  },
  {
    package: /^(pg|pg-copy-streams|slonik|@slonik\/|node-pg-migrate)$/,
    only: ["server/store/"],
    why: "SQL lives in store only",
  },
  { package: /^@octokit\//, only: ["server/github/"], why: "GitHub's API lives in github only" },
  { package: /^openid-client$/, only: ["server/oidc/"], why: "OpenID Connect for people lives in oidc only" },
  { package: /^@actions\//, only: ["action/"], why: "the runner's toolkit lives in the action only" },
  { package: /^preact(\/|$)/, only: ["server/web/app/"], why: "what draws in browsers lives in web/app only" },
  {
    package: /^@marcbachmann\/cel-js$/,
    only: ["server/stages/decide/"],
    why: "conditions are evaluated by decide only",
  },
];

type Import = { from: string; to: string; typeOnly: boolean };

const files = globSync(["server/**/*.{ts,tsx}", "action/**/*.ts"], { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted();
const imports = files.flatMap(importsOf);
const local = imports.filter(({ to }) => !isPackage(to));

describe("imports", () => {
  test("every file belongs to a part of the table", () => {
    expect(files.filter((file) => rowOf(file) === undefined)).toEqual([]);
  });

  test("no part imports what the table does not give it", () => {
    expect(local.filter((edge) => !isAllowed(edge)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("every package stays in the part that keeps it", () => {
    const strays = imports.flatMap(({ from, to }) =>
      packages
        .filter(
          (rule) =>
            rule.package.test(to) &&
            !rule.only.some((part) => from.startsWith(part)) &&
            !from.startsWith("server/demo/"),
        )
        .map((rule) => `${from} imports ${to}: ${rule.why}`),
    );
    expect(strays).toEqual([]);
  });

  test("every imported file exists", () => {
    expect(local.filter(({ to }) => !existsSync(root + to)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("nothing that runs imports itself in a circle", () => {
    expect(findCircle(local.filter(({ typeOnly }) => !typeOnly))).toBeNull();
  });

  test("the table catches what it forbids", () => {
    const forbidden = [
      ["server/stages/decide/decide.ts", "server/stages/classify/classify.ts"],
      ["server/datadog/hosts.ts", "server/store/database.ts"],
      ["server/http/proxy.ts", "server/stages/forward/upstream.ts"],
      ["server/model/caller.ts", "server/store/sessions.ts"],
      ["action/main.ts", "server/errors.ts"],
    ].map(([from = "", to = ""]) => ({ from, to, typeOnly: false }));
    expect(forbidden.filter(isAllowed)).toEqual([]);
    expect(isAllowed({ from: "server/http/api.ts", to: "server/store/sessions.ts", typeOnly: false })).toBe(false);
    expect(isAllowed({ from: "server/http/api.ts", to: "server/store/sessions.ts", typeOnly: true })).toBe(true);
  });

  test("a circle is found", () => {
    const edges = ["ab", "bc", "ca", "ad"].map(([from = "", to = ""]) => ({ from, to, typeOnly: false }));
    expect(findCircle(edges)).toEqual(["a", "b", "c", "a"]);
  });
});

describe("credentials", () => {
  test("Datadog's credentials are revealed in datadog/ and stages/forward only", () => {
    const revealing = files.filter((file) => /\b(apiKey|appKey)\.reveal\(/.test(read(file)));
    expect(revealing.filter((file) => !/^server\/(datadog|stages\/forward|demo)\//.test(file))).toEqual([]);
  });
});

describe("files", () => {
  test("each opens with a sentence that says what it is", () => {
    expect(files.filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)))).toEqual([]);
  });

  test("none is named after what it is not", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|managers?|common|misc|index)(\.|\/)/i.test(file))).toEqual(
      [],
    );
  });

  test("long ones are mentioned (advice: 200 lines, unless there is a reason)", () => {
    const long = files.filter((file) => !file.includes(".generated.") && read(file).split("\n").length > 300);
    if (long.length > 0) console.info(`more than 300 lines: ${long.join(", ")}`);
  });
});

describe("documents", () => {
  const documents = globSync(["*.md", "docs/**/*.md"], { cwd: root });

  test("ARCHITECTURE.md is read in ten minutes: at most 200 lines", () => {
    expect(read("ARCHITECTURE.md").trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  });

  test("every file and folder they name is there", () => {
    const named = /`((?:server|action|test|scripts|docs|deploy|\.github)\/[\w./-]*)`/g;
    const missing = documents.flatMap((document) =>
      [...read(document).matchAll(named)]
        .map(([, path = ""]) => path)
        .filter((path) => !existsSync(root + path))
        .map((path) => `${document} names ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test("every link between them leads somewhere", () => {
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(root, dirname(document), target)))
        .map((target) => `${document} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

function read(file: string): string {
  return readFileSync(root + file, "utf8");
}

/** Every static import, re-export and `import()` of a file; `import type` and `export type` are type only. */
function importsOf(file: string): Import[] {
  const text = read(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[\w*{][^"';]*?\sfrom\s+)?["']([^"']+)["']/gm);
  const dynamic = text.matchAll(/\bimport\(\s*(typeof\s)?["']([^"']+)["']\s*\)/g);
  return [...statements, ...dynamic].map(([, type, target = ""]) => ({
    from: file,
    to: target.startsWith(".") ? normalize(join(dirname(file), target)).replaceAll("\\", "/") : target,
    typeOnly: type !== undefined,
  }));
}

function isPackage(to: string): boolean {
  return !/^(server|action|test|scripts|dist|package\.json)\b/.test(to);
}

function rowOf(file: string): (typeof table)[number] | undefined {
  return table.find(({ part }) => file.startsWith(part));
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const row = rowOf(from);
  if (row === undefined) return false;
  const stage = /^server\/stages\/[^/]+\//.exec(from)?.[0];
  const allowed = [...row.may, ...(typeOnly ? (row.types ?? []) : [])];
  return allowed.some((part) => to.startsWith(part === "own" ? (stage ?? row.part) : part));
}

/** The first circle that a walk from any file runs into, as the files it passes; null when there is none. */
function findCircle(edges: readonly Import[]): string[] | null {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const { to } of next.get(file) ?? []) {
      const circle = walk(to, [...trail, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const circle = walk(file, []);
    if (circle !== null) return circle;
  }
  return null;
}
