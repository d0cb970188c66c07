/** The recorded answer and the one that the replay got, beside each other, with the fields marked that differ. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { CallJson, ReplayedCallJson } from "../../contract.ts";
import { type Content, contentOf } from "./bytes.ts";
import { read, reasonOf } from "./gateway.ts";
import { readJson } from "./json.ts";
import { Long } from "./shown.tsx";
import { Tree } from "./tree.tsx";

export type SidesProps = {
  readonly call: ReplayedCallJson;
  readonly recorded: string;
  /** Null where nothing was sent. */
  readonly replayed: string | null;
};

export function Sides({ call, recorded, replayed }: SidesProps) {
  const marks = useMemo(() => marksOf(call.differences ?? []), [call]);
  return (
    <div class="sides">
      <Side heading="Recorded answer" of={`/sessions/${recorded}/calls/${call.n}`} n={call.n} marks={marks} />
      {replayed === null || call.replay_n === null ? (
        <section>
          <h3>Answer in the replay</h3>
          <p class="soft">Nothing was sent.</p>
        </section>
      ) : (
        <Side
          heading="Answer in the replay"
          of={`/sessions/${replayed}/calls/${call.replay_n}`}
          n={call.replay_n}
          marks={marks}
        />
      )}
    </div>
  );
}

/** `body.options.thresholds` is `$.options.thresholds` of a tree. */
const marksOf = (differences: NonNullable<ReplayedCallJson["differences"]>): ReadonlySet<string> =>
  new Set(differences.filter(({ path }) => /^body(?=[.[]|$)/.test(path)).map(({ path }) => `$${path.slice(4)}`));

type SideProps = {
  readonly heading: string;
  /** Path of the call's page. */
  readonly of: string;
  readonly n: number;
  readonly marks: ReadonlySet<string>;
};

type Answer = { readonly call: CallJson; readonly content: Content | null };

function Side({ heading, of, n, marks }: SideProps) {
  const [answer, setAnswer] = useState<Answer | string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    readAnswer(`/v1${of}`, gone.signal)
      .then(setAnswer)
      .catch((error: unknown) => !gone.signal.aborted && setAnswer(reasonOf(error)));
    return () => gone.abort();
  }, [of]);
  return (
    <section>
      <h3>
        {heading} <a href={of}>call {n}</a>
      </h3>
      {answer === null ? (
        <p class="soft">Reading…</p>
      ) : typeof answer === "string" ? (
        <p class="soft">{answer}</p>
      ) : (
        <Answered answer={answer} heading={heading} side={`${of}:`} marks={marks} />
      )}
    </section>
  );
}

async function readAnswer(path: string, signal: AbortSignal): Promise<Answer> {
  const call = await read<CallJson>(path, signal);
  const body = call.response?.body ?? null;
  return { call, content: body === null ? null : await contentOf(body) };
}

function Answered({
  answer: { call, content },
  heading,
  side,
  marks,
}: Pick<SideProps, "heading" | "marks"> & { readonly answer: Answer; readonly side: string }) {
  const root = useMemo(() => (content?.kind === "text" ? readJson(content.text) : null), [content]);
  return (
    <>
      <p class="soft">Status {call.status ?? call.state}</p>
      {content === null ? (
        <p class="soft">{call.response === null ? "No answer was recorded." : "No body."}</p>
      ) : content.kind === "none" ? (
        <p class="soft">{content.why}</p>
      ) : content.kind === "bytes" ? (
        <p class="soft">It is no text: its bytes are on the page of the call.</p>
      ) : root === null ? (
        <pre tabIndex={0} role="region" aria-label={heading}>
          <Long text={content.text} first={8_000} step={100_000} />
        </pre>
      ) : (
        <Tree text={content.text} root={root} side={side} marks={marks} />
      )}
    </>
  );
}
