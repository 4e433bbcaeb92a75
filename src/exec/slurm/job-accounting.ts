/**
 * What jobs used, where the cluster records it. One `sacct` answers for all jobs that ended in the same moment. Records come late,
 * and nobody waits for them: a job without a record has used nobody knows how much.
 */
import { freshAsk, pause } from "../../kernel/index.ts";
import { accountingArguments } from "./command-lines.ts";
import { type JobResources, parseAccounting } from "./parse-answers.ts";
import type { SlurmClient } from "./slurm-client.ts";

const gatherMs = 250;

export class JobAccounting {
  readonly #client: SlurmClient;
  #gathering:
    | { readonly ids: string[]; readonly answer: Promise<ReadonlyMap<string, JobResources>> }
    | undefined;

  constructor(client: SlurmClient) {
    this.#client = client;
  }

  /** @param id `12` or `12_3` */
  async usedBy(id: string): Promise<JobResources | undefined> {
    if (this.#gathering === undefined) {
      const ids: string[] = [];
      this.#gathering = { ids, answer: this.#ask(ids) };
    }
    this.#gathering.ids.push(id);
    return (await this.#gathering.answer).get(id);
  }

  async #ask(ids: readonly string[]): Promise<ReadonlyMap<string, JobResources>> {
    await pause(gatherMs, freshAsk());
    this.#gathering = undefined;
    const answer = await this.#client("sacct", accountingArguments(ids));
    return answer.kind === "answered" ? parseAccounting(answer.stdout) : new Map();
  }
}
