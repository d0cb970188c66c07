/** A person's browser, as far as pages without scripts need one: it follows links and redirects, keeps cookies and fills in forms. */

export class Browser {
  /** By host, as browsers keep them: ports do not matter. */
  readonly #cookies = new Map<string, Map<string, string>>();
  /** Where the last page is. */
  url = "";
  text = "";
  status = 0;

  async open(url: string): Promise<string> {
    return this.#go(new URL(url, this.url === "" ? undefined : this.url), { method: "GET" });
  }

  /** Sends the form of this page whose action fits, with what it has filled in and what is filled in here. */
  async submit(action: RegExp, values: Readonly<Record<string, string>> = {}): Promise<string> {
    const forms = [...this.text.matchAll(/<form method="post" action="([^"]*)">([\s\S]*?)<\/form>/g)];
    const [, address = "", inside = ""] = forms.find(([, to = ""]) => action.test(to)) ?? [];
    if (inside === "") throw new Error(`no form goes to ${action} on ${this.url}:\n${this.text}`);
    const filled = [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = "", value = ""]) => [name, unescape(value)] as const,
    );
    const body = new URLSearchParams({ ...Object.fromEntries(filled), ...values });
    return this.#go(new URL(unescape(address), this.url), { method: "POST", body });
  }

  async #go(url: URL, sent: { readonly method: string; readonly body?: URLSearchParams }): Promise<string> {
    const jar = this.#cookies.get(url.hostname) ?? new Map<string, string>();
    this.#cookies.set(url.hostname, jar);
    const answer = await fetch(url, {
      ...sent,
      redirect: "manual",
      headers: {
        ...(jar.size === 0 ? {} : { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") }),
        ...(sent.method === "POST" ? { origin: new URL(this.url).origin } : {}),
      },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    this.url = url.href;
    if (location !== null) return this.#go(new URL(location, url), { method: "GET" });
    this.status = answer.status;
    this.text = await answer.text();
    return this.text;
  }
}

const unescape = (text: string): string =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
