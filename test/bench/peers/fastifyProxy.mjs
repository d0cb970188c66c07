/** `@fastify/http-proxy` as its README has it: PACKAGES PORT UPSTREAM. */

import { createRequire } from "node:module";
import { join } from "node:path";

const [, , packages, port, upstream] = process.argv;
const require = createRequire(join(packages, "x.js"));
const app = require("fastify")();
app.register(require("@fastify/http-proxy"), { upstream });
await app.listen({ host: "127.0.0.1", port: Number(port) });
