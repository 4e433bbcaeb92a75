/** The word that makes the command line check one definition for the server that started it. No user writes it. */
export const checkWord = "--internal-check-definition";

/** The word that makes the command line perform one run for the server that started it. */
export const runWord = "--internal-perform-run";
