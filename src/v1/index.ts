/** v1: `/api/v1`, the JSON interface under the web page. */
export type { Answer } from "./answers.ts";
export { createV1, type V1Parts, v1Routes } from "./create-v1.ts";

export { openApi } from "./openapi.ts";
export { schemas } from "./schemas.ts";
