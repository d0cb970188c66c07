/** Asks the gateway's own API, as whoever is signed in here. */

export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @throws Refused with the gateway's own words */
export const read = <T>(path: string, signal?: AbortSignal): Promise<T> => ask<T>(path, { signal: signal ?? null });

/** `form`: what the page was given for whatever acts. @throws Refused with the gateway's own words */
export const send = <T>(
  path: string,
  { form, content }: { readonly form: string; readonly content: object },
  signal: AbortSignal,
): Promise<T> =>
  ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json", "dogwatch-form": form },
    body: JSON.stringify(content),
    signal,
  });

type Sent = Pick<RequestInit, "method" | "body" | "signal"> & { readonly headers?: Readonly<Record<string, string>> };

async function ask<T>(path: string, { headers, ...request }: Sent): Promise<T> {
  const answer = await fetch(path, { headers: { accept: "application/json", ...headers }, ...request }).catch(
    (error: unknown) => {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Refused(0, "The gateway does not answer. It is tried again.");
    },
  );
  if (answer.ok) return (await answer.json()) as T;
  const said = (await answer.json().catch(() => null)) as { errors?: readonly string[] } | null;
  throw new Refused(
    answer.status,
    said?.errors?.join(" ").replace(/^dogwatch: /, "") ?? `The gateway answered ${answer.status}.`,
  );
}

export const reasonOf = (error: unknown): string =>
  error instanceof Refused
    ? error.message
    : error instanceof Error
      ? `This page failed: ${error.message}`
      : "This page failed.";
