/** omics: the HealthOmics workflows API over HTTP. Receives its parts as arguments. */
export { createServer, type OmicsServer } from "./create-server.ts";
export type {
  Definitions,
  Locations,
  RequestLine,
  RunDesk,
  ServerParts,
} from "./parts.ts";
