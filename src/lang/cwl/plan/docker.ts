/**
 * What DockerRequirement means for a call: the image, how it is obtained, and where the output directory is.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#DockerRequirement
 */
import { defined } from "../../../kernel/index.ts";
import { type ImageRecipe, taskWork } from "../../../task/index.ts";
import type { Docker } from "../model/requirements.ts";
import { unsupported } from "../unsupported.ts";
import { hostPathOf, nameOfLocation } from "../values/location.ts";
import { containerPath } from "./container-path.ts";
import { failureAt } from "./failure.ts";

export interface DockerPlan {
  readonly images: readonly string[];
  readonly recipe?: ImageRecipe;
  /** `runtime.outdir`: the working directory as the document sees it. */
  readonly outdir: string;
  /** In the container the working directory is here, too. */
  readonly workDir?: string;
}

/**
 * A hint may be ignored, so expressions see the usual output directory then, and the document's own one is there only
 * in case that the tool does run in a container.
 * @throws CwlFailure
 */
export function dockerPlan(docker: Docker | undefined): DockerPlan {
  if (docker === undefined) return { images: [], outdir: taskWork };
  const image = imageOf(docker);
  const { outputDirectory, required, place } = docker;
  if (outputDirectory === undefined) return { ...image, outdir: taskWork };
  const answer = containerPath(outputDirectory);
  if (answer.kind === "path")
    return { ...image, outdir: required ? answer.path : taskWork, workDir: answer.path };
  if (!required) return { ...image, outdir: taskWork };
  throw failureAt(place, "cwl-output-directory", `dockerOutputDirectory ${outputDirectory} ${answer.why}`);
}

/** In the order in which other runners look: what a registry has comes first. */
function imageOf(docker: Docker): Pick<DockerPlan, "images" | "recipe"> {
  const { pull, file, load, import: imported, imageId: name, required, place } = docker;
  if (pull !== undefined) return { images: [pull] };
  if (file !== undefined) return { images: [], recipe: { kind: "build", dockerfile: file } };
  if (load !== undefined)
    return {
      images: [],
      recipe: { kind: "load", archive: archiveAt(load), ...defined({ name }) },
    };
  if (imported !== undefined) return { images: [], recipe: { kind: "import", archive: archiveAt(imported) } };
  if (name !== undefined) return { images: [], recipe: { kind: "local", name } };
  if (!required) return { images: [] };
  const help = "dockerPull, dockerFile, dockerLoad, dockerImport and dockerImageId do";
  throw failureAt(place, unsupported.docker, "DockerRequirement: nothing names an image", help);
}

function archiveAt(location: string) {
  return {
    kind: "file" as const,
    location: hostPathOf(location) ?? location,
    basename: nameOfLocation(location),
  };
}
