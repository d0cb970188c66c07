/** Loaded before a command: what it sends to an address of DOGWATCH_TEST_HOSTS goes to a server of the test, as a changed DNS would have it. */

const hosts = Object.entries(JSON.parse(process.env["DOGWATCH_TEST_HOSTS"] ?? "{}"));
const send = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : new URL(input).href;
  const [from, to] = hosts.find(([origin]) => url === origin || url.startsWith(`${origin}/`)) ?? [];
  return from === undefined ? send(input, init) : send(to + url.slice(from.length), init);
};
