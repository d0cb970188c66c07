/** People's addresses follow from the API's. */

import { expect, test } from "vitest";
import { webAddress } from "../../server/github/web.ts";

test.for([
  ["https://api.github.com", "https://github.com"],
  ["https://api.github.com/", "https://github.com"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com"],
  ["https://github.example.com/api/v3", "https://github.example.com"],
  ["https://github.example.com/api/v3/", "https://github.example.com"],
  ["https://api.github.example.com/api/v3", "https://api.github.example.com"],
  ["https://api.github.com.example.com/api/v3", "https://api.github.com.example.com"],
  ["https://api.a.b.ghe.com", "https://api.a.b.ghe.com"],
  ["http://127.0.0.1:4000", "http://127.0.0.1:4000"],
] as const)("%s → %s", ([api, web]) => {
  expect(webAddress(api)).toBe(web);
});
