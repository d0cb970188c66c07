/** Values that masks hide: what was not changed is kept as it is, and what would have to be guessed is not sent. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aDashboard, aMonitor, startUndo, stepFor, type UndoScene } from "./scene.ts";

const mails = { ...aMonitor, message: "Mail ann@example.com" };

for (const where of ["[recording]", "[reply, recording]"])
  describe(`masks where: ${where}`, () => {
    let scene: UndoScene;
    beforeAll(async () => {
      scene = await startUndo({
        more: `  masks: [{ name: personal, detect: [personal], where: ${where} }]`,
      });
    });
    afterAll(() => scene?.close());

    test("what was deleted and held such a value cannot be made again; a dashboard is restored with it", async () => {
      const monitor = await scene.datadog("POST", "/api/v1/monitor", mails);
      const dashboard = await scene.datadog("POST", "/api/v1/dashboard", {
        ...aDashboard,
        description: "of ann@example.com",
      });
      const session = await scene.openSession();
      for (const path of [`/api/v1/monitor/${monitor.id}`, `/api/v1/dashboard/${dashboard.id}`]) {
        await scene.call(session, "GET", path);
        await scene.call(session, "DELETE", path);
      }
      const undone = await scene.apply(session.session_id);
      expect(stepFor(undone, 2)).toMatchObject({
        action: "impossible",
        why: "a mask hides what stood at message, and what is made anew cannot have it",
      });
      expect(stepFor(undone, 4)).toMatchObject({ action: "restore", state: "done" });
      expect(await scene.datadog("GET", `/api/v1/dashboard/${dashboard.id}`)).toEqual(dashboard);
      expect(JSON.stringify(undone)).not.toContain("ann@example.com");
    });

    test("one that the session did not change is kept, although nobody sees it", async () => {
      const monitor = await scene.datadog("POST", "/api/v1/monitor", mails);
      const path = `/api/v1/monitor/${monitor.id}`;
      const session = await scene.openSession();
      await scene.call(session, "GET", path);
      await scene.call(session, "PUT", path, { name: "Changed", priority: 5 });
      const undone = await scene.apply(session.session_id);
      expect(stepFor(undone, 2)).toMatchObject({ action: "put_back", state: "done" });
      expect(await scene.datadog("GET", path)).toMatchObject({ ...mails });
      expect(JSON.stringify(undone)).not.toContain("ann@example.com");
      const recorded = JSON.stringify(await scene.endedCalls(undone.session?.id ?? ""));
      expect(recorded).not.toContain("ann@example.com");
    });

    test("one that the session did change cannot be put back", async () => {
      const monitor = await scene.datadog("POST", "/api/v1/monitor", mails);
      const path = `/api/v1/monitor/${monitor.id}`;
      const session = await scene.openSession();
      await scene.call(session, "GET", path);
      await scene.call(session, "PUT", path, { message: "Mail bob@example.com" });
      const undone = await scene.apply(session.session_id);
      expect(stepFor(undone, 2)).toMatchObject({ action: "impossible", state: "none" });
      expect(stepFor(undone, 2).why).toMatch(/^a mask hides what stood at message, and it was changed/);
      expect(await scene.datadog("GET", path)).toMatchObject({ message: "Mail bob@example.com" });
    });

    test("one that somebody changed after the session is a conflict", async () => {
      const monitor = await scene.datadog("POST", "/api/v1/monitor", mails);
      const path = `/api/v1/monitor/${monitor.id}`;
      const session = await scene.openSession();
      await scene.call(session, "GET", path);
      await scene.call(session, "PUT", path, { name: "Changed" });
      await scene.datadog("PUT", path, { message: "Mail carol@example.com" });
      const undone = await scene.apply(session.session_id);
      expect(stepFor(undone, 2)).toMatchObject({ state: "conflict", differs: ["message"] });
      expect(await scene.datadog("GET", path)).toMatchObject({ name: "Changed", message: "Mail carol@example.com" });
    });

    test("what was made with one is deleted, compared inside the gateway", async () => {
      const session = await scene.openSession();
      const made = await scene.call(session, "POST", "/api/v1/monitor", mails);
      const undone = await scene.apply(session.session_id);
      expect(stepFor(undone, 1)).toMatchObject({ action: "delete", state: "done" });
      expect(await scene.datadog("GET", `/api/v1/monitor/${made.id}`)).toHaveProperty("errors");
    });
  });

test("a number that a mask names is gone from the recording, and is not taken for nothing", async () => {
  const scene = await startUndo({
    more: "  masks: [{ name: how-urgent, fields: ['$.priority'], where: [recording] }]",
  });
  try {
    const monitor = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
    const other = await scene.datadog("POST", "/api/v1/monitor", aMonitor);
    const session = await scene.openSession();
    await scene.call(session, "GET", `/api/v1/monitor/${monitor.id}`);
    await scene.call(session, "DELETE", `/api/v1/monitor/${monitor.id}`);
    await scene.call(session, "GET", `/api/v1/monitor/${other.id}`);
    await scene.call(session, "PUT", `/api/v1/monitor/${other.id}`, { name: "Changed" });
    const undone = await scene.apply(session.session_id);
    expect(undone.steps.map(({ n, action, why }) => [n, action, why])).toEqual([
      [4, "impossible", "a mask hides what stood at priority, and it was changed or cannot be told to be the same"],
      [2, "impossible", "a mask hides what stood at priority, and what is made anew cannot have it"],
    ]);
    expect(await scene.datadog("GET", `/api/v1/monitor/${other.id}`)).toMatchObject({ name: "Changed", priority: 2 });
  } finally {
    await scene.close();
  }
});
