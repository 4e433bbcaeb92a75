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
