/** A browser without scripts: keeps cookies by site, follows redirects, and says where its requests come from, as browsers do. */

import { all, type Element, fieldsOf, readHtml, textOf } from "./markup.ts";

export type Visited = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly html: Element;
};

export type BrowserOptions = {
  /** Where an address really is: `http://gateway.test` → `http://127.0.0.1:8080`. */
  readonly hosts?: Readonly<Record<string, string>>;
};

type Cookie = { readonly value: string; readonly attributes: string };

const mostRedirects = 10;

export class Browser {
  readonly #hosts: Readonly<Record<string, string>>;
  readonly #jars = new Map<string, Map<string, Cookie>>();
  /** Every address it was sent to, in order. */
  readonly visited: string[] = [];

  constructor({ hosts = {} }: BrowserOptions = {}) {
    this.#hosts = hosts;
  }

  /** As if somebody typed the address, or came from `from`. */
  async open(url: string, from: string | null = null): Promise<Visited> {
    return this.#go({ method: "GET", url, from, body: null });
  }

  /** Sends the form on the page whose button or action says so. */
  async submit(page: Visited, which: RegExp, filled: Readonly<Record<string, string>> = {}): Promise<Visited> {
    const form = all(page.html, "form").find((one) => which.test(`${one.attributes.get("action")} ${textOf(one)}`));
    if (form === undefined) throw new Error(`no form ${which} on ${page.url}: ${textOf(page.html)}`);
    const url = new URL(form.attributes.get("action") ?? "", page.url).href;
    return this.#go({ method: "POST", url, from: page.url, body: fieldsOf(form, filled) });
  }

  async post(url: string, body: URLSearchParams, from: string | null): Promise<Visited> {
    return this.#go({ method: "POST", url, from, body });
  }

  /** Follows the link with this text. */
  async follow(page: Visited, which: RegExp): Promise<Visited> {
    const link = all(page.html, "a").find((one) => which.test(textOf(one)));
    if (link === undefined) throw new Error(`no link ${which} on ${page.url}`);
    return this.open(new URL(link.attributes.get("href") ?? "", page.url).href, page.url);
  }

  cookies(origin: string): ReadonlyMap<string, Cookie> {
    return this.#jar(origin);
  }

  /** As another person with a copy of this browser's cookies. */
  copy(): Browser {
    const other = new Browser({ hosts: this.#hosts });
    for (const [origin, jar] of this.#jars) other.#jars.set(origin, new Map(jar));
    return other;
  }

  header(origin: string): string {
    return [...this.#jar(origin)].map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  async #go(asked: {
    readonly method: string;
    readonly url: string;
    readonly from: string | null;
    readonly body: URLSearchParams | null;
  }): Promise<Visited> {
    let { method, url, body } = asked;
    for (let redirects = 0; redirects < mostRedirects; redirects++) {
      this.visited.push(url);
      const { origin, pathname, search } = new URL(url);
      const response = await fetch(`${this.#hosts[origin] ?? origin}${pathname}${search}`, {
        method,
        redirect: "manual",
        headers: this.#headers(origin, { method, from: asked.from }),
        ...(body === null ? {} : { body }),
      });
      this.#keep(origin, response);
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) return visitedOf(url, response);
      url = new URL(location, url).href;
      // RFC 9110 §15.4: what was sent is not sent on.
      [method, body] = ["GET", null];
    }
    throw new Error(`too many redirects: ${this.visited.slice(-mostRedirects).join(" ")}`);
  }

  #headers(origin: string, { method, from }: { readonly method: string; readonly from: string | null }) {
    const cookie = this.header(origin);
    return {
      "sec-fetch-site": from === null ? "none" : new URL(from).origin === origin ? "same-origin" : "cross-site",
      ...(cookie === "" ? {} : { cookie }),
      ...(method === "POST" && from !== null
        ? { origin: this.#hosts[new URL(from).origin] ?? new URL(from).origin }
        : {}),
    };
  }

  #keep(origin: string, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = "", attributes = ""] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
      const expires = /expires=([^;]+)/i.exec(attributes)?.[1];
      if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#jar(origin).delete(name);
      else this.#jar(origin).set(name, { value, attributes });
    }
  }

  #jar(origin: string): Map<string, Cookie> {
    const jar = this.#jars.get(origin) ?? new Map<string, Cookie>();
    this.#jars.set(origin, jar);
    return jar;
  }
}

async function visitedOf(url: string, response: Response): Promise<Visited> {
  const text = await response.text();
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  return {
    url,
    status: response.status,
    headers: response.headers,
    text,
    html: isPage ? readHtml(text) : { name: "", attributes: new Map(), children: [text] },
  };
}
