/** One side of a call: its header fields, and its body as a tree, as text or as bytes. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { BodyJson, CallJson } from "../../contract.ts";
import { type Content, contentOf, hexLines } from "./bytes.ts";
import { readJson } from "./json.ts";
import { Long, Shown } from "./shown.tsx";
import { Tree } from "./tree.tsx";
import { bytes, number, plural } from "./words.ts";

export type MessageProps = {
  readonly message: CallJson["request"];
  readonly side: "request" | "response";
  readonly raw: string;
};

export const Message = ({ message, side, raw }: MessageProps) => (
  <>
    <details>
      <summary>{plural(message.headers.length, "header field")}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Header fields of the ${side}`}>
        <table class="headers">
          <tbody>
            {message.headers.map(([name, value], index) => (
              <tr key={index}>
                <th scope="row">
                  <Shown text={name} />
                </th>
                <td>
                  <Long text={value} first={1_000} step={20_000} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
    {message.body === null ? <p class="soft">No body.</p> : <Body body={message.body} side={side} raw={raw} />}
  </>
);

function Body({ body, side, raw }: { readonly body: BodyJson } & Pick<MessageProps, "side" | "raw">) {
  const [content, setContent] = useState<Content | null>(null);
  const [asWritten, setAsWritten] = useState(false);
  useEffect(() => {
    let gone = false;
    void contentOf(body).then((found) => !gone && setContent(found));
    return () => {
      gone = true;
    };
  }, [body]);
  const root = useMemo(() => (content?.kind === "text" ? readJson(content.text) : null), [content]);
  return (
    <>
      <div class="body-top">
        <span>{bytes(body.size)}</span>
        {body.content_type !== null && (
          <span>
            <Shown text={body.content_type} />
          </span>
        )}
        {content !== null && content.kind !== "none" && content.note !== null && <span>{content.note}</span>}
        {body.truncated && <strong class="approve">truncated in the recording</strong>}
        <span class="grow" />
        {root !== null && (
          <button type="button" class="quiet" aria-pressed={asWritten} onClick={() => setAsWritten(!asWritten)}>
            As written
          </button>
        )}
        {!body.expired && (
          <a class="button quiet" href={raw}>
            Raw bytes
          </a>
        )}
      </div>
      {body.withheld !== null && <p class="notice">Not stored as a whole: {body.withheld}.</p>}
      {content !== null && <Drawn content={content} side={side} root={asWritten ? null : root} />}
    </>
  );
}

function Drawn({
  content,
  side,
  root,
}: {
  readonly content: Content;
  readonly side: string;
  readonly root: ReturnType<typeof readJson>;
}) {
  switch (content.kind) {
    case "none":
      return <p class="soft">{content.why}</p>;
    case "bytes":
      return <Bytes bytes={content.bytes} side={side} />;
    case "text":
      return root !== null ? (
        <Tree text={content.text} root={root} side={side} />
      ) : (
        <pre tabIndex={0} role="region" aria-label={`Body of the ${side}`}>
          <Long text={content.text} first={8_000} step={100_000} />
        </pre>
      );
    default:
      return content satisfies never;
  }
}

function Bytes({ bytes: all, side }: { readonly bytes: Uint8Array; readonly side: string }) {
  const [most, setMost] = useState(1_024);
  return (
    <>
      <pre tabIndex={0} role="region" aria-label={`Bytes of the ${side}'s body`}>
        {hexLines(all, most)}
      </pre>
      {all.length > most && (
        <button type="button" class="quiet" onClick={() => setMost(most + 16_384)}>
          Show more of {number(all.length)} bytes
        </button>
      )}
    </>
  );
}
