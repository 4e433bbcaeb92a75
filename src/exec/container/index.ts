/** exec/container: tasks in Docker or Podman, and what image references mean. The executor is loaded when it is made. */
export { type ImageName, parseImageName } from "./image-name.ts";
export { containerKind } from "./kind.ts";
