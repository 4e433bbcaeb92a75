/** exec/local: tasks as processes of this machine. The executor is loaded when it is made. */
export { hostKind } from "./kind.ts";
