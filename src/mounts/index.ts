/** mounts: the whole server, composed of the mounts of its prefixes. */
export { createServer, type Server, type ServerDeps } from "./create-server.ts";
