/** The word that makes the command line run what a file asks for, for the server that started it. No user writes it. */
export const runAgainWord = "--internal-run-again";
