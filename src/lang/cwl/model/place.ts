/** Every node of the model has a place, for diagnostics at any later time. */
export type { Place } from "../../../kernel/index.ts";
