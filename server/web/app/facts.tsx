/** Whose session it is: the repository, the run, who started it, and everything else that its token said. */

import type { SessionJson } from "../../contract.ts";
import { errandOf } from "../errands.ts";
import { pullOf, textOf } from "./claims.ts";
import { CopyButton } from "./copy.tsx";
import { StateBadge } from "./marks.tsx";
import { Shown } from "./shown.tsx";
import { moment } from "./words.ts";

export const Title = ({ session }: { readonly session: SessionJson }) => {
  const repository = textOf(session.caller["repository"]);
  const workflow = textOf(session.caller["workflow"]);
  return (
    <div class="call-title">
      <h1>
        <Shown text={repository === "" ? session.caller.subject : repository} />
        {workflow !== "" && (
          <span class="soft">
            {" "}
            · <Shown text={workflow} />
          </span>
        )}
      </h1>
      <StateBadge state={session.state} />
    </div>
  );
};

/** GitHub's web is where its issuer's runs are; of other issuers nothing is known but their claims. */
const webOf = ({ caller }: SessionJson): string | null => {
  const server = textOf(caller["server_url"]);
  if (/^https:\/\/[\w.-]+$/.test(server)) return server;
  return caller.issuer.startsWith("https://token.actions.githubusercontent.com") ? "https://github.com" : null;
};

export function Facts({ session }: { readonly session: SessionJson }) {
  const { caller } = session;
  const [repository, run, attempt, actor, sha] = ["repository", "run_id", "run_attempt", "actor", "sha"].map((name) =>
    textOf(caller[name]),
  ) as [string, string, string, string, string];
  const errand = errandOf(session);
  const pull = pullOf(session);
  const web = webOf(session);
  const base = web === null || !/^[\w.-]+\/[\w.-]+$/.test(repository) ? null : `${web}/${repository}`;
  const link = (path: string, text: string) =>
    base === null || !/^[\w./-]*$/.test(path) ? (
      <Shown text={text} />
    ) : (
      <a href={`${base}${path}`} rel="noreferrer">
        <Shown text={text} />
      </a>
    );
  const facts: readonly (readonly [string, preact.ComponentChildren] | null)[] = [
    repository === "" ? ["Caller", <Shown text={caller.subject} />] : ["Repository", link("", repository)],
    errand === null ? null : [errand.word, <a href={`/sessions/${errand.of}`}>session {errand.of}</a>],
    pull === null ? null : ["Pull request", link(`/pull/${pull}`, `#${pull}`)],
    run === ""
      ? null
      : [
          "Run",
          link(
            `/actions/runs/${run}${attempt === "" ? "" : `/attempts/${attempt}`}`,
            `${run}${attempt === "" || attempt === "1" ? "" : `, attempt ${attempt}`}`,
          ),
        ],
    actor === "" ? null : ["Started by", <Shown text={actor} />],
    textOf(caller["event_name"]) === "" ? null : ["On", <Shown text={textOf(caller["event_name"])} />],
    sha === "" ? null : ["Commit", link(`/commit/${sha}`, sha.slice(0, 9))],
    ["Connection", <Shown text={session.connection} />],
    ["Opened", <time dateTime={session.opened_at}>{moment(session.opened_at)}</time>],
    [
      "Seal",
      session.seal === null ? (
        "none yet"
      ) : (
        <code title={session.seal.head}>
          {session.seal.head.slice(0, 12)}
          {session.seal.log_index === null ? "" : ` · leaf ${session.seal.log_index}`}
        </code>
      ),
    ],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(
          (fact) =>
            fact !== null && (
              <div key={fact[0]}>
                <dt>{fact[0]}</dt>
                <dd>{fact[1]}</dd>
              </div>
            ),
        )}
      </dl>
      <details>
        <summary>All claims of its identity</summary>
        <dl>
          {Object.entries(caller).map(([name, value]) => (
            <Claim key={name} name={name} value={value} />
          ))}
        </dl>
        <CopyButton what="session id" text={() => session.id} />
      </details>
    </>
  );
}

const Claim = ({ name, value }: { readonly name: string; readonly value: unknown }) => (
  <>
    <dt>
      <Shown text={name} />
    </dt>
    <dd>
      <code>
        <Shown text={typeof value === "string" ? value : JSON.stringify(value)} />
      </code>
    </dd>
  </>
);
