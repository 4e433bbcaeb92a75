/** What `cwl-runner` needs of CWL beyond running a program: jobs that name their tool, and how outputs are written. */
export { toolOfJob } from "./load/job-tool.ts";
export { isUnsupported } from "./unsupported.ts";
export { fileLocation } from "./values/location.ts";
export { numberText } from "./values/text.ts";
