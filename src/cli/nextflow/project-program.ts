/** `memoir run nf-core/rnaseq -r 3.24.0`: pipelines of repositories, which are kept on this machine. */
import type { Ask } from "../../kernel/index.ts";
import type { Context, Given } from "../command.ts";
import { programOrder } from "../workflow-options.ts";
import { isProject } from "./project-words.ts";
import { projectOptionsOf } from "./run.ts";

/** What is run, with the folder of the pipeline in place of its name. */
export async function projectProgram(
  given: Given,
  { app, ask }: { readonly app: Context["app"]; readonly ask: Ask },
): Promise<ReturnType<typeof programOrder>> {
  const order = programOrder(given);
  if (given.pipeline === undefined || !isProject(order.workflow)) return order;
  const { folder } = await (await app()).workflows.nextflow.pull(
    projectOptionsOf(given.pipeline, order.workflow),
    ask,
  );
  return { ...order, workflow: folder };
}
