/** exec/images: what image references mean, asked of registries and engines. */
export {
  type CredentialSources,
  type Credentials,
  findCredentials,
  registryAuthHeader,
} from "./credentials.ts";
export { type ImageName, imageText, isLoopback, isPlainHttp, parseImageName } from "./image-name.ts";
export { createImageResolver, type ImageResolverOptions } from "./image-resolver.ts";
export type { ImageSource, LocalImage } from "./image-source.ts";
export { parseStart } from "./image-start.ts";
export { asList, asNumber, asObject, asText, asTexts, parseJson } from "./json.ts";
export { platformOf } from "./platform.ts";
export { createRegistryImages } from "./registry-images.ts";
