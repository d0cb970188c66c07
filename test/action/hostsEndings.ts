/** Jobs with `intercept: hosts` that end early or beside one another, in a network and a hosts file of their own (see clients.test.ts); prints what happened as JSON. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { isAlive } from "../../action/launch.ts";
import { startGateway } from "../standins/gateway.ts";
import { insteadOfNoting, newJob, runToEnd, startTokenService } from "../standins/job.ts";

const root = join(import.meta.dirname, "../..");
const asked = Promise.withResolvers<() => void>();
const gateway = await startGateway((call, _request, response) => {
  if (!call.url.includes("held")) return { status: 200, body: "{}" };
  asked.resolve(() => void response.end("{}"));
  return null;
});
const service = await startTokenService();
const hosts = () => readFileSync("/etc/hosts", "utf8");
const isTaken = () => hosts().includes("dogwatch");
const inputs = { "gateway-url": gateway.url, intercept: "hosts" };
const relayOf = ({ state }: ReturnType<typeof newJob>) =>
  JSON.parse(state["relay"] ?? "") as { pid: number; url: string; placeholder: string };
const gone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await sleep(20);
};
const untilFree = async (): Promise<void> => {
  for (let tries = 0; isTaken() && tries < 3_000; tries++) await sleep(20);
};

// Main is killed the moment it would tell `post` of the relay.
const first = newJob(service.env);
await first.main(inputs, insteadOfNoting('process.kill(process.pid, "SIGKILL")'));
const taken = first.relayLog().includes("intercept: hosts");
await untilFree();
const cancelled = { taken, left: isTaken() };

// The machine takes the relay down, with a call under way that came by the name.
const second = newJob(service.env);
await second.main(inputs);
const wasTaken = isTaken();
const key = `DD-API-KEY: ${second.env["DD_API_KEY"]}`;
const call = second.step("curl", ["-sS", "-w", " %{http_code}", "-H", key, "https://api.datadoghq.com/api/v1/held"]);
const letGo = await asked.promise;
const { pid } = relayOf(second);
process.kill(pid, "SIGTERM");
await untilFree();
const ended = { taken: wasTaken, left: isTaken() };
letGo();
const answered = (await call).out;
await gone(pid);

// Two jobs on one machine: the relay of one is killed, the other begins, and only then the first one's post comes.
const third = newJob(service.env);
await third.main(inputs);
process.kill(relayOf(third).pid, "SIGKILL");
await gone(relayOf(third).pid);
const fourth = newJob(service.env);
await fourth.main(inputs);
const others = hosts();
const post = await third.post();
const kept = hosts();
await fourth.post();
const after = hosts();

// Somebody else on this machine keeps a connection by the name open when the command has ended.
const options = ["run", "--gateway", gateway.url, "--token-command", "echo t", "--intercept", "hosts"];
const marker = join(first.directory, "connected");
const script = `while [ ! -e ${marker} ]; do sleep 0.05; done; exit 7`;
const running = runToEnd(
  process.execPath,
  [join(root, "server/main.ts"), ...options, "--", "sh", "-c", script],
  process.env,
);
while (!isTaken()) await sleep(20);
const socket = connect({ host: "127.0.0.1", port: 443, servername: "api.datadoghq.com", rejectUnauthorized: false });
await once(socket, "secureConnect");
socket.on("error", () => {});
await runToEnd("touch", [marker], process.env);
const run = { ...(await running), left: isTaken() };
socket.destroy();

// The hosts file is nowhere any more when the command has ended.
const lost = await runToEnd(
  process.execPath,
  [join(root, "server/main.ts"), ...options, "--", "sh", "-c", "mount -t tmpfs none /etc; exit 7"],
  process.env,
);

for (const job of [first, second, third, fourth]) job.dispose();
await gateway.close();
await service.close();
console.log(JSON.stringify({ cancelled, ended, answered, others, post, kept, after, run, lost }));
