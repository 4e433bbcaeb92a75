/** The word that makes the command line check one definition for the server that started it. No user writes it. */
export const checkWord = "--internal-check-definition";
