/** The stacks of a stage as templates, without the validator that CDK runs at each synthesis (one test runs it). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import models from "../lib/models.json" with { type: "json" };
import type { StageModel } from "../lib/models.ts";
import type { StageName, StageOptions } from "../lib/options.ts";
import { createStage } from "../lib/stage.ts";

export interface Synthesized {
  readonly data: Template;
  readonly api: Template;
  readonly trust: Template;
}

const folders = new WeakMap<Synthesized, string>();

/** The assembly with the assets. */
export function servedFolder(synthesized: Synthesized): string {
  return folders.get(synthesized) ?? "";
}

/** Templates that were changed, over the assets of the first ones. */
export function servedAlike(first: Synthesized, changed: Synthesized): Synthesized {
  folders.set(changed, servedFolder(first));
  return changed;
}

export const served = models as readonly StageModel[];

/** Default of `code`: a folder that stands for the bundle. */
export function synthesize(stage: StageName, more: Partial<StageOptions> = {}): Synthesized {
  const outdir = mkdtempSync(join(tmpdir(), "memoir-synth-"));
  process.on("exit", () => rmSync(outdir, { recursive: true, force: true }));
  const before = process.env["CDK_VALIDATION"];
  process.env["CDK_VALIDATION"] = "false";
  try {
    const app = new App({ outdir });
    const code = join(import.meta.dirname, "../lambda");
    const { data, api, trust } = createStage(app, {
      ...{ stage, repository: "lab/memoir", code, models: served },
      ...more,
    });
    const synthesized = {
      data: Template.fromStack(data),
      api: Template.fromStack(api),
      trust: Template.fromStack(trust),
    };
    folders.set(synthesized, outdir);
    return synthesized;
  } finally {
    if (before === undefined) delete process.env["CDK_VALIDATION"];
    else process.env["CDK_VALIDATION"] = before;
  }
}
