/** What distinguishes one stage from another. */
import type { StageModel } from "./models.ts";

/** `prod` keeps what it holds, whatever happens to its stacks. */
export type StageName = "dev" | "prod";

export interface StageOptions {
  readonly stage: StageName;
  /** `owner/name` on GitHub: whose workflows may take the roles of this stage. */
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

/** What costs are listed by; a budget counts only what has it. */
export const costTag = "memoir-stage";
