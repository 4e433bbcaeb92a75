/** lang/nextflow: the Nextflow front end. */
export { parseScript } from "./syntax/script.ts";
