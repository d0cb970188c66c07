/**
 * A job's log as GitHub shows it: workflow commands act and are not text, masked values are stars.
 *
 * @see https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */

/** `::name key=value,…::data` */
const command = /^\s*::([a-z-]+)(?: .*?)?::(.*)$/;

export class JobLog {
  readonly #masked = new Set<string>();
  /** While it is set, lines are text whatever they look like, until `::TOKEN::`. */
  #resumesAt: string | null = null;
  #inGroup = false;

  /** What a line of a step's output is shown as; null when it is not shown. */
  show(line: string): string | null {
    if (this.#resumesAt !== null) {
      if (line.trim() !== `::${this.#resumesAt}::`) return this.#text(line);
      this.#resumesAt = null;
      return null;
    }
    const [, name, data = ""] = command.exec(line) ?? [];
    return name === undefined ? this.#text(line) : this.#act(name, decode(data));
  }

  #act(name: string, data: string): string | null {
    switch (name) {
      case "stop-commands":
        this.#resumesAt = data;
        return null;
      case "add-mask":
        if (data !== "") this.#masked.add(data);
        return null;
      case "group":
        this.#inGroup = true;
        return `▾ ${this.#mask(data)}`;
      case "endgroup":
        this.#inGroup = false;
        return null;
      case "error":
      case "warning":
      case "notice":
        return this.#text(`${name}: ${data}`);
      default:
        return null;
    }
  }

  #text(line: string): string {
    return `${this.#inGroup ? "  " : ""}${this.#mask(line)}`;
  }

  #mask(text: string): string {
    let shown = text;
    for (const value of this.#masked) shown = shown.replaceAll(value, "***");
    return shown;
  }
}

const decode = (data: string): string => data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
