/** exec/container: tasks in Docker or Podman. The executor is loaded when it is made. */
export { containerKind } from "./kind.ts";
