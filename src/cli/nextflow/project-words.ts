/** Names of pipelines in repositories, as Nextflow's users type them. */
import { existsSync } from "node:fs";

/** `owner/name` or the address of a repository, and no path on this machine. */
export function isProject(word: string): boolean {
  if (word.startsWith("-") || existsSync(word)) return false;
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(word)
    ? !/\.(?:nf|wdl|cwl|zip|json|ya?ml)$/i.test(word)
    : /^(?:https?|ssh|git|file):\/\/.+\.git$/.test(word);
}
