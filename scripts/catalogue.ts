/** Generates server/datadog/catalogue.generated.json from the pinned official client; `--check` only says whether it is current. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { GeneratedOperation } from "../server/datadog/catalogue.ts";

export type GeneratedCatalogue = { readonly client: string; readonly operations: readonly GeneratedOperation[] };

const target = join(import.meta.dirname, "../server/datadog/catalogue.generated.json");

/** Reads the client that is installed in node_modules. Throws, naming the place, when its code no longer looks as expected. */
export function readClient(): GeneratedCatalogue {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve("@datadog/datadog-api-client/package.json");
  const packages = join(dirname(manifest), "dist/packages");
  const hosts = readHosts(join(packages, "datadog-api-client-common/servers.js"));
  const operations = ["v1", "v2"].flatMap((version) => {
    const folder = join(packages, `datadog-api-client-${version}/apis`);
    return readdirSync(folder)
      .filter((file) => file.endsWith("Api.js"))
      .toSorted()
      .flatMap((file) => readOperations(join(folder, file), hosts));
  });
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { client: version, operations };
}

/** The file's text: one operation a line, so that a new client release is a diff people can read. */
export function formatCatalogue(catalogue: GeneratedCatalogue): string {
  const lines = catalogue.operations.map((operation) => `    ${JSON.stringify(operation)}`);
  return `{\n  "client": ${JSON.stringify(catalogue.client)},\n  "operations": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

/** Is the checked-in file what the installed client says? */
export function isCurrent(): boolean {
  return readFileSync(target, "utf8") === formatCatalogue(readClient());
}

function readOperations(file: string, hosts: ReadonlyMap<string, string>): GeneratedOperation[] {
  const [, ...bodies] = readFileSync(file, "utf8").split('const localVarPath = "');
  if (bodies.length === 0) throw new Error(`${file}: no operation found; has the client's generator changed?`);
  return bodies.map((body) => readOperation(body, hosts, file));
}

function readOperation(body: string, hosts: ReadonlyMap<string, string>, file: string): GeneratedOperation {
  const path = body.slice(0, body.indexOf('"'));
  const request = body.slice(0, body.indexOf("return requestContext;"));
  const server =
    /\.getServer\("(v[12])\.(\w+)\.(\w+)"\)\s*\.makeRequestContext\(localVarPath, http_1\.HttpMethod\.([A-Z]+)\)/.exec(
      request,
    );
  if (!server) throw new Error(`${file}: no server or method for ${path}; has the client's generator changed?`);
  const [, version, api, name = "", method = ""] = server;
  const host = hosts.get(`${version}.${api}.${name}`);
  const keys = /applySecurityAuthentication\)\(_config, requestContext, \["apiKeyAuth"\]\)/.test(request);
  return {
    id: `${version}.${api}.${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    method,
    path,
    ...(host === undefined ? {} : { host }),
    ...(keys ? { keys: "api" as const } : {}),
  };
}

/** Operations off `api.`: their first server is `https://{subdomain}.{site}`, or `https://{site}` with the whole US1 name as its default. */
function readHosts(file: string): ReadonlyMap<string, string> {
  const source = readFileSync(file, "utf8");
  const table = source.slice(source.indexOf("exports.operationServers = {"));
  const entries = [...table.matchAll(/"(v[12]\.\w+\.\w+)": \[\s*new ServerConfiguration\("([^"]+)", \{([^}]*)\}/g)];
  if (entries.length === 0) throw new Error(`${file}: no operation servers found; has the client's generator changed?`);
  return new Map(entries.map(([, operation = "", , variables = ""]) => [operation, prefixOf(variables)]));
}

function prefixOf(variables: string): string {
  const subdomain = /subdomain: "([^"]+)"/.exec(variables)?.[1];
  if (subdomain !== undefined) return subdomain;
  const name = /site: "([^"]+)"/.exec(variables)?.[1] ?? "";
  const prefix = /^(.+)[.-]datadoghq\.com$/.exec(name)?.[1];
  if (prefix === undefined) throw new Error(`operation server ${name}: not a US1 host`);
  return prefix;
}

if (process.argv[1] !== undefined && pathToFileURL(resolve(process.argv[1])).href === import.meta.url) {
  if (process.argv.includes("--check")) {
    const current = isCurrent();
    console.log(current ? "catalogue is current" : "catalogue is stale: run `node scripts/catalogue.ts`");
    process.exitCode = current ? 0 : 1;
  } else {
    const catalogue = readClient();
    writeFileSync(target, formatCatalogue(catalogue));
    console.log(`${target}: ${catalogue.operations.length} operations of client ${catalogue.client}`);
  }
}
