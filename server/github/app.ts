/** The App itself, by a token that its private key signs: who it is, and what it may do. */

import { createAppAuth } from "@octokit/auth-app";
import { z } from "zod";
import type { Secret } from "../model/connection.ts";
import { GitHubFailure } from "../model/github.ts";
import { quote } from "../model/quote.ts";
import { type Uses, forWork, granted, lacking } from "./permissions.ts";
import { read, refusal } from "./refusal.ts";
import type { Answer, Ask, Credentials, Send } from "./send.ts";

const about = z.object({
  slug: z.string(),
  permissions: granted,
  events: z.array(z.string()),
});

export type About = z.output<typeof about>;

/** Deliveries by which answers are heard at once. */
const events = ["pull_request_review_comment", "issue_comment", "check_run", "pull_request"] as const;

export type AppOptions = {
  /** In digits. */
  readonly appId: string;
  readonly privateKey: Secret;
  readonly send: Send;
};

export class App {
  readonly id: string;
  readonly #privateKey: Secret;
  readonly #send: Send;

  constructor({ appId, privateKey, send }: AppOptions) {
    this.id = appId;
    this.#privateKey = privateKey;
    this.#send = send;
  }

  async ask(ask: Ask): Promise<Answer> {
    const answer = await this.#send(ask, await this.#credentials());
    if (answer.status !== 401) return answer;
    throw new GitHubFailure(
      "refused",
      `GitHub does not accept the App's key: could not ${ask.doing}; check github.appId, github.privateKey and this machine's clock`,
    );
  }

  async about(): Promise<About> {
    const ask: Ask = { kind: "read", route: "GET /app", parameters: {}, doing: "look up the App" };
    const answer = await this.ask(ask);
    if (answer.status !== 200) throw refusal(answer, ask, null);
    return read(about, answer, ask);
  }

  /** What the App lacks of what it needs, a sentence each. */
  async verify(uses: Uses): Promise<readonly string[]> {
    const { slug, permissions, events: heard } = await this.about();
    const app = `the GitHub App ${quote(slug)}`;
    return [
      ...lacking(forWork(uses), permissions).map(
        (permission) =>
          `${app} lacks the permission ${permission}: add it in its settings and accept it where it is installed`,
      ),
      ...events
        .filter((event) => !heard.includes(event))
        .map(
          (event) => `${app} does not subscribe to the event ${event}: what it would tell is found later, by asking`,
        ),
    ];
  }

  /** A token of the App's own lives ten minutes; one is made for every request. */
  async #credentials(): Promise<Credentials> {
    try {
      const auth = createAppAuth({ appId: this.id, privateKey: this.#privateKey.reveal() });
      return { token: (await auth({ type: "app" })).token, whose: "app" };
    } catch {
      // What cryptography says of a key may show a part of it.
      throw new GitHubFailure(
        "refused",
        "the App's private key cannot be used: check that github.privateKey is the PEM file that GitHub gave",
      );
    }
  }
}
