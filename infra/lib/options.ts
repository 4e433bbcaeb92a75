/** What distinguishes one stage from another. */
import type { StageModel } from "./models.ts";

/** `prod` keeps what it holds, whatever happens to its stacks. */
export type StageName = "dev" | "prod";

export interface StageOptions {
  readonly stage: StageName;
  /** As it is in tokens of GitHub (`repositoryPattern`): whose workflows may take the roles of this stage. */
  readonly repository: string;
  /** Default: a new provider. An account has one for GitHub; name it where it exists. */
  readonly oidcProviderArn?: string;
  /** Who hears of alarms and of the budget. Default: nobody, until somebody subscribes to the topic. */
  readonly alarmEmail?: string;
  /** USD a month. Default 20. */
  readonly budget?: number;
  /** The folder with the bundle of the functions. */
  readonly code: string;
  readonly models: readonly StageModel[];
}

/**
 * `owner/name`, or `owner@id/name@id`: the tokens of repositories that were created or renamed since July 15, 2026 have
 * the ids in their subject, so that nobody is trusted who only takes over a name.
 */
export const repositoryPattern = /^(?:[\w.-]+\/[\w.-]+|[\w.-]+@\d+\/[\w.-]+@\d+)$/;

/** What costs are listed by; a budget counts only what has it. */
export const costTag = "memoir-stage";
