/** Reads HTML as strictly as we write it: every tag closed, every attribute quoted, nothing that a browser would have to guess. */

export type Element = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (Element | string)[];
};

const empty = new Set(["meta", "link", "input", "br", "img"]);
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** @throws Error where it is not well formed */
export function readHtml(text: string): Element {
  const root: Element = { name: "", attributes: new Map(), children: [] };
  const open: Element[] = [root];
  const innermost = (): Element => open.at(-1) as Element;
  let at = 0;
  while (at < text.length) {
    const tag = text.indexOf("<", at);
    const words = text.slice(at, tag === -1 ? text.length : tag);
    if (words !== "") innermost().children.push(decode(words));
    if (tag === -1) break;
    const [whole, slash = "", name = "", rest = ""] =
      /^<(?:!doctype html|(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*)>/.exec(text.slice(tag)) ?? [];
    if (whole === undefined) throw new Error(`no tag: ${text.slice(tag, tag + 80)}`);
    at = tag + whole.length;
    if (name === "") continue;
    if (slash === "/") {
      const closed = open.pop();
      if (closed?.name !== name)
        throw new Error(`</${name}> closes <${closed?.name}>: ${text.slice(tag - 80, tag + 20)}`);
      continue;
    }
    const element: Element = { name, attributes: attributesOf(rest), children: [] };
    innermost().children.push(element);
    if (!empty.has(name)) open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${innermost().name}> is not closed`);
  return root;
}

function attributesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", value] of text.matchAll(/\s+([a-z-]+)(?:="([^"]*)")?/g)) {
    if (found.has(name)) throw new Error(`${name} twice in${text}`);
    found.set(name, decode(value ?? ""));
  }
  return found;
}

const decode = (text: string): string =>
  text.replaceAll(/&([^;\s]*);?/g, (whole, name: string) => {
    const char = entities[name];
    if (char === undefined || !whole.endsWith(";")) throw new Error(`no entity: ${whole}`);
    return char;
  });

/** Every element below, in order. */
export const all = (element: Element, name?: string): readonly Element[] =>
  element.children.flatMap((child) =>
    typeof child === "string"
      ? []
      : [...(name === undefined || child.name === name ? [child] : []), ...all(child, name)],
  );

export const textOf = (element: Element): string =>
  element.children.map((child) => (typeof child === "string" ? child : textOf(child))).join("");

/** What a form sends, with the fields that a person fills in; a button is named by its text. */
export function fieldsOf(form: Element, filled: Readonly<Record<string, string>> = {}): URLSearchParams {
  const fields = new URLSearchParams();
  for (const { attributes } of all(form, "input")) {
    const name = attributes.get("name");
    if (name !== undefined && attributes.get("type") !== "checkbox") fields.set(name, attributes.get("value") ?? "");
  }
  for (const { attributes } of all(form, "textarea")) fields.set(attributes.get("name") ?? "", "");
  for (const [name, value] of Object.entries(filled)) fields.set(name, value);
  return fields;
}
