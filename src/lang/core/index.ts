/** lang/core: what every front end is and needs. */
export type {
  FileAccess,
  FrontEnd,
  Host,
  Loaded,
  LoadOptions,
  OutputCollector,
  Parameter,
  ParameterValues,
  Program,
  ProgramEvent,
  RunFailure,
  RunResult,
  SourceTree,
  WorkflowInterface,
} from "./front-end.ts";
export {
  type JsonMember,
  type JsonNode,
  type JsonText,
  jsonSpan,
  jsonValue,
  parseJson,
} from "./json-text.ts";
export { findMain, type MainQuestion } from "./main-document.ts";
export { type ParameterText, parseArguments, parseParameters } from "./parameter-text.ts";
export { type BundleLimits, type BundleSourceOptions, createBundleSource } from "./source-tree-bundle.ts";
export { createFileSource, createFolderSource, type FolderSourceOptions } from "./source-tree-folder.ts";
