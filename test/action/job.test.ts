/** The bundle, run as a runner runs it: a job's calls go through the relay, and `post` leaves nothing behind. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAlive } from "../../action/launch.ts";
import { callJson, startGateway, type StandinGateway } from "../standins/gateway.ts";
import { type Job, newJob, startTokenService, type TokenService } from "../standins/job.ts";

let gateway: StandinGateway;
let service: TokenService;
let job: Job;

beforeEach(async () => {
  gateway = await startGateway();
  service = await startTokenService();
  job = newJob(service.env);
});

afterEach(async () => {
  job.dispose();
  await gateway.close();
  await service.close();
});

const inputs = (more: Record<string, string> = {}) => ({ "gateway-url": gateway.url, intercept: "proxy", ...more });

describe("a job from its beginning to its end", () => {
  test("opens a session, leads clients to the relay, closes the session and writes the summary", async () => {
    const main = await job.main(inputs({ connection: "prod" }));
    expect(main).toMatchObject({ code: 0, signal: null });
    expect(Object.fromEntries(gateway.exchanges[0] ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: service.minted[0],
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      connection: "prod",
    });
    expect(service.audiences).toEqual([gateway.url]);
    const { pid } = JSON.parse(job.state["relay"] as string);
    expect(isAlive(pid)).toBe(true);

    const url = `${job.env["DATADOG_HOST"]}/api/v1/monitor?tags=a%2Cb&page=0`;
    const step = await job.step("curl", ["-sS", "-H", `DD-API-KEY: ${job.env["DD_API_KEY"]}`, url]);
    expect(step.out).toBe("{}");
    expect(gateway.received[0]).toMatchObject({ method: "GET", url: "/api/v1/monitor?tags=a%2Cb&page=0" });
    expect(gateway.received[0]?.rawHeaders).toContain(gateway.tokens[0]);

    const session = job.outputs["session-id"] as string;
    gateway.calls.push(callJson(session, 1));
    const post = await job.post();
    expect(post).toMatchObject({ code: 0 });
    expect(gateway.closed).toEqual([session]);
    expect(isAlive(pid)).toBe(false);
    expect(job.summary()).toContain(`${gateway.url}/sessions/${session}`);
    expect(job.summary()).toContain("v1.MonitorsApi.ListMonitors");
    expect(post.out).toContain("::group::Dogwatch relay log");
  });
});
