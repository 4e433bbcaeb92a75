/** lang/nextflow: the Nextflow front end. */
export { createNextflowFrontEnd } from "./front-end.ts";
export type { NextflowOptions } from "./run/program.ts";
