/** omics: the HealthOmics workflows API. Receives its parts as arguments. */
export { createOmics, type OmicsMount } from "./create-omics.ts";
export type { Definitions, Locations, RunControl, ServerParts } from "./parts.ts";
