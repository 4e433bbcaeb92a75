/** model-server: one model over HTTP, with the routes and answers of ersilia-pack. */
export { createModelServer, type ModelServer, type ModelServerDeps } from "./create-model-server.ts";
export { parseRate } from "./rate-limit.ts";
