/** exec/remote: tasks on services whose machines share no disk with this one. Executors are loaded when they are made. */
export { awsBatchKind, tesKind } from "./kind.ts";
