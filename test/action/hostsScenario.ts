/** A whole job with `intercept: hosts`, run in a network and a hosts file of its own (see clients.test.ts); prints what happened as JSON. */

import { appendFileSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startGateway } from "../standins/gateway.ts";
import { newJob, startTokenService } from "../standins/job.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const officialClient = `
import { client, v1 } from "@datadog/datadog-api-client";
const monitors = new v1.MonitorsApi(client.createConfiguration());
console.log(JSON.stringify(await monitors.deleteMonitor({ monitorId: 42 })));
`;

const gateway = await startGateway(() => ({ status: 200, body: '{"deleted_monitor_id":42}' }));
const service = await startTokenService();
const job = newJob(service.env);

appendFileSync("/etc/hosts", "127.0.0.9\tapi.datadoghq.com\t# added by dogwatch\n"); // left by a relay that was killed
const hosts = () => readFileSync("/etc/hosts", "utf8");
const main = await job.main({ "gateway-url": gateway.url, intercept: "hosts" });
const during = hosts();
const client = await job.step(process.execPath, ["--input-type=module", "-e", officialClient], { PWD: root });
const curl = await job.step("curl", [
  "-sS",
  "-H",
  `DD-API-KEY: ${job.env["DD_API_KEY"]}`,
  "https://http-intake.logs.datadoghq.com/api/v2/logs",
  "-d",
  "[]",
]);
const other = newJob(service.env);
const second = await other.main({ "gateway-url": gateway.url, intercept: "hosts" });
const secondAuto = await other.main(
  { "gateway-url": gateway.url, intercept: "auto" },
  { RUNNER_ENVIRONMENT: "github-hosted" },
);
const secondProxy = other.env["HTTPS_PROXY"] ?? null;
const stillThere = hosts() === during;
await other.post();
const post = await job.post();
const after = hosts();

job.dispose();
other.dispose();
await gateway.close();
await service.close();
const received = gateway.received.map(({ method, url }) => `${method} ${url}`);
console.log(
  JSON.stringify({ main, during, client, curl, second, secondAuto, secondProxy, stillThere, post, after, received }),
);
