/** lang/core: what every front end is and needs. */

export type { FileAccess, GlobMatch, GlobOptions } from "./file-access.ts";
export type {
  Configuration,
  DocumentLimits,
  ExpressionOptions,
  FrontEnd,
  FrontEndAbilities,
  FrontEndKind,
  FrontEndOptions,
  GivenParameters,
  Loaded,
  LoadOptions,
  OfferedVersions,
  Parameter,
  ParameterValues,
  Program,
  ProgramResult,
  RunFailure,
  Software,
  SoftwareOrder,
  ValueLimits,
  WorkflowInterface,
} from "./front-end.ts";
export { globPattern } from "./glob-pattern.ts";
export { type HeldField, type Holding, mayHoldPaths } from "./holding.ts";
export type {
  CallOptions,
  Host,
  OutputCollector,
  OwnWork,
  ProgramEvent,
  Published,
  PublishOrder,
} from "./host.ts";
export type { ImportMap } from "./import-map.ts";
export { type JsonMember, type JsonNode, jsonSpan, jsonValue, parseJson } from "./json-text.ts";
export { limitSource } from "./limited-source.ts";
export { findMain, languagesOf, type Outline } from "./main-document.ts";
export { membersInOrder, objectOf } from "./ordered-members.ts";
export { parseParameters } from "./parameter-text.ts";
export { createReach, type Reach, type ReachOptions } from "./reach.ts";
export { RunState } from "./run-state.ts";
export type { SourceMember, SourceTree } from "./source-tree.ts";
export { createBundleSource, unpackBundle } from "./source-tree-bundle.ts";
export { createFileSource, createFolderSource } from "./source-tree-folder.ts";
export { stubFiles, stubHost } from "./stub-host.ts";
export { WrittenNumber } from "./written-number.ts";
