/** lang/nextflow: the Nextflow front end. */
export { nextflowKind } from "./kind.ts";
