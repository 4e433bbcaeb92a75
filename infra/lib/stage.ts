/** One stage of Memoir on AWS: three stacks of the same classes, whatever the stage is called. */
import { type App, Tags } from "aws-cdk-lib";
import { ApiStack } from "./api-stack.ts";
import { DataStack } from "./data-stack.ts";
import { costTag, type StageOptions } from "./options.ts";
import { TrustStack } from "./trust-stack.ts";

export interface Stage {
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly trust: TrustStack;
}

export function createStage(app: App, options: StageOptions): Stage {
  const name = (part: string) => `Memoir-${options.stage}-${part}`;
  const data = new DataStack(app, name("data"), options);
  const api = new ApiStack(app, name("api"), { ...options, data });
  const trust = new TrustStack(app, name("trust"), { ...options, data });
  for (const stack of [data, api, trust]) Tags.of(stack).add(costTag, options.stage);
  return { data, api, trust };
}
