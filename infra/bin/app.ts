/** `cdk synth`, `cdk diff` and `cdk deploy` run this: `-c stage=dev|prod -c repository=OWNER@ID/NAME@ID`, and optional values. */
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import models from "../lib/models.json" with { type: "json" };
import type { StageModel } from "../lib/models.ts";
import { repositoryPattern, type StageName } from "../lib/options.ts";
import { createStage } from "../lib/stage.ts";

const app = new App();
const context = (name: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === "string" && value !== "" ? value : undefined;
};
const stage = context("stage");
const repository = context("repository");
if (stage !== "dev" && stage !== "prod") throw new Error("say which stage: -c stage=dev or -c stage=prod");
if (repository === undefined || !repositoryPattern.test(repository))
  throw new Error("say whose workflows may deploy: -c repository=OWNER/NAME, or OWNER@ID/NAME@ID");
const [oidcProviderArn, alarmEmail, budget] = ["oidcProviderArn", "alarmEmail", "budget"].map(context);
createStage(app, {
  stage: stage satisfies StageName,
  repository,
  models: models as readonly StageModel[],
  // Next to the bundle of this program.
  code: fileURLToPath(new URL("lambda", import.meta.url)),
  ...(oidcProviderArn === undefined ? {} : { oidcProviderArn }),
  ...(alarmEmail === undefined ? {} : { alarmEmail }),
  ...(budget === undefined ? {} : { budget: Number(budget) }),
});
app.synth();
