/** exec/template: tasks as jobs of any scheduler, by command lines. The executor is loaded when it is made. */
export { templateKind } from "./kind.ts";
