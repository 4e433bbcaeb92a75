/** The assembly that is deployed: CloudFormation's own rules as errors, and two packs of cdk-nag. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnBucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createStage } from "../lib/stage.ts";
import { served } from "./synthesized.ts";

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), "memoir-practice-"));
});
afterEach(() => rmSync(outdir, { recursive: true, force: true }));

function checkedApp(): App {
  const app = new App({
    outdir,
    context: {
      "@aws-cdk/core:validateAgainstDefaultRules": true,
      "@aws-cdk/core:strictCfnValidateErrors": true,
    },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return app;
}

it("both stages pass the validator of CloudFormation and cdk-nag, with the reasons that are written down", () => {
  const app = checkedApp();
  for (const stage of ["dev", "prod"] as const)
    createStage(app, {
      ...{ stage, repository: "lab/memoir", models: served },
      code: join(import.meta.dirname, "../lambda"),
    });
  expect(() => app.synth()).not.toThrow();
});

it("a role with one more wildcard, and a bucket that answers without encryption, are found", () => {
  const app = checkedApp();
  const { api } = createStage(app, {
    ...{ stage: "dev", repository: "lab/memoir", models: served },
    code: join(import.meta.dirname, "../lambda"),
  });
  const role = new Role(api, "Careless", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  role.addToPolicy(new PolicyStatement({ actions: ["s3:*"], resources: ["*"] }));
  new CfnBucket(api, "Open", {});
  expect(() => app.synth()).toThrow(/IAM5\[Action::s3:\*\][\s\S]*AwsSolutions-S10/);
});
