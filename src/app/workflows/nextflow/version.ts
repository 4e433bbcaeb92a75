/** The version of Nextflow whose language and command line are spoken. */
export const spokenVersion = "25.10.4";
