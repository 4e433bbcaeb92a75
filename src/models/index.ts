/** models: model packages, where they are kept, and what runs them. */
export type { Model, ModelSource, Runner } from "./model.ts";
