/** exec/local: tasks as local processes. The executor is loaded when it is made. */
export { hostKind } from "./kind.ts";
export { createModelGuard } from "./model-guard.ts";
