/** mounts: the whole server, put together from what answers below each prefix. */
export { createServer, type Server, type ServerDeps } from "./create-server.ts";
