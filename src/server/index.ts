/** server: the HealthOmics workflows API over HTTP. Receives its parts as arguments. */
export { createServer, type OmicsServer } from "./create-server.ts";
export type { HttpRequest, HttpResponse } from "./http.ts";
export { type Listening, type ListenOptions, listen } from "./listen.ts";
export type {
  ConfiguredKey,
  DefinitionAnswer,
  DefinitionRequest,
  DefinitionSource,
  Definitions,
  Locations,
  RequestLine,
  RunDesk,
  ServerParts,
  TaskExplanation,
} from "./parts.ts";
