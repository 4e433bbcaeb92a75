/** lang/cwl: the CWL front end. */
export { type CwlOptions, createCwlFrontEnd } from "./front-end.ts";
export { type JobTool, toolOfJob } from "./load/job-tool.ts";
export { fileLocation } from "./values/location.ts";
export { numberText } from "./values/text.ts";
