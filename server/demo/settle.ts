/** What the stand-in for GitHub holds when the sample job comes: an organization, its people, a pull request, and Dogwatch's App. */

import type { App, Pull, Repository } from "./github/state.ts";
import type { GitHubStandin } from "./github/standin.ts";

export type Settled = { readonly repository: Repository; readonly pull: Pull; readonly app: App };

/** Who starts the job, who may answer for it, and who may only look on. */
export const people = { author: "octocat", reviewer: "mona", reader: "rita" } as const;

const workflow = ".github/workflows/agent.yml";

export async function settle({ accounts, repositories, pulls, apps }: GitHubStandin): Promise<Settled> {
  accounts.add("acme", { id: 1234, type: "Organization" });
  // The first that a form offers is who may answer.
  for (const login of [people.reviewer, people.reader, people.author]) accounts.add(login);
  const repository = repositories.add("acme/checkout", { id: 70 });
  repositories.permit(repository, people.reviewer, "maintain");
  repositories.permit(repository, people.author, "write");
  repositories.permit(repository, people.reader, "read");
  const pull = pulls.open(repository, {
    author: people.author,
    number: 7,
    title: "Let the agent tidy up our monitors",
    branch: "tidy-monitors",
    files: [workflow, "agents/tidy.mjs"],
  });
  const app = await apps.register({ owner: "acme" });
  apps.install(app, { account: "acme" });
  return { repository, pull, app };
}
