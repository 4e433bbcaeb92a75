/** exec/container: tasks in Docker or Podman, and what image references mean. */
export { type ContainerExecutorOptions, createContainerExecutor } from "./container-executor.ts";
export type { CredentialSources } from "./credentials.ts";
export type { ContainerEngine, EngineFacts } from "./engine.ts";
export { type EngineChoice, findEngine } from "./find-engine.ts";
export { type ImageName, parseImageName } from "./image-name.ts";
export { createImageResolver, type ImageResolverOptions } from "./image-resolver.ts";
export { ImageStore, type ImageStoreOptions } from "./image-store.ts";
