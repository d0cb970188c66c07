/** Fetches one JSON document of an issuer: bounded in size and time, and never from where it is redirected to. */

export type Fetch = typeof globalThis.fetch;

const longest = 512 * 1024;
const patience = 5_000;

/** @throws Error with one sentence for people: what was asked, and what came instead. */
export const fetchDocument = async (fetch: Fetch, url: string): Promise<unknown> => {
  const signal = AbortSignal.timeout(patience);
  try {
    const response = await fetch(url, { redirect: "manual", signal, headers: { accept: "application/json" } });
    if (response.status !== 200) {
      await response.body?.cancel();
      const redirected = response.status >= 300 && response.status < 400;
      throw new Error(`answered ${response.status}${redirected ? "; redirects are not followed" : ""}`);
    }
    return JSON.parse(await readText(response));
  } catch (error) {
    throw new Error(`${url} ${reasonOf(error)}`, { cause: error });
  }
};

const readText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > longest) throw new Error(`is larger than ${longest} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
};

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "could not be read";
  if (error.name === "TimeoutError") return `did not answer within ${patience / 1000} s`;
  if (error instanceof SyntaxError) return "is not JSON";
  // Node's fetch says only "fetch failed"; what failed is in the cause.
  return error.cause instanceof Error ? `cannot be reached: ${error.cause.message}` : error.message;
};
