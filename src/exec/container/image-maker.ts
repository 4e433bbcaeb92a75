/**
 * Images that no registry is asked for: built from a Dockerfile, loaded or imported from an archive. Each is made once
 * on a machine, under a name that its recipe decides, so that the engine's store is the memory of what was made.
 */
import { sha256 } from "../../hash/index.ts";
import { AppError, type Ask } from "../../kernel/index.ts";
import type { ImageOrder } from "../core/index.ts";
import { imageText, type LocalImage, parseImageName } from "../images/index.ts";
import type { ContainerEngine, ImageTag } from "./engine.ts";

export type ImageMaking = Pick<ContainerEngine, "image" | "build" | "load" | "import" | "tag">;

/**
 * @param onMake called once, when there is work to do
 * @throws AppError EXEC_IMAGE_NOT_MADE with the engine's message.
 */
export async function makeImage(
  engine: ImageMaking,
  order: ImageOrder,
  onMake: (words: string) => void,
  ask: Ask,
): Promise<LocalImage> {
  const { recipe, identity } = order;
  if (recipe.kind === "local") {
    const found = await engine.image(recipe.name, ask);
    if (found !== undefined) return found;
    throw new AppError("EXEC_IMAGE_NOT_FOUND", `looking for image ${recipe.name} in the engine's own store`);
  }
  const name: ImageTag = {
    repository: `localhost/memoir/${recipe.kind}`,
    tag: sha256(identity).slice(0, 32),
  };
  const known = await engine.image(textOf(name), ask);
  if (known !== undefined) return known;
  switch (recipe.kind) {
    case "build": {
      onMake("building an image from the dockerFile of the document");
      const outcome = await engine.build({ dockerfile: recipe.dockerfile, name }, ask);
      if (outcome.kind === "refused") throw notMade("building from a Dockerfile", outcome.message);
      break;
    }
    case "import": {
      const { basename } = recipe.archive;
      onMake(`importing an image from ${basename}`);
      const outcome = await engine.import(await order.archive(), name, ask);
      if (outcome.kind === "refused") throw notMade(`importing ${basename}`, outcome.message);
      break;
    }
    case "load": {
      const { basename } = recipe.archive;
      onMake(`loading an image from ${basename}`);
      const outcome = await engine.load(await order.archive(), ask);
      if (outcome.kind === "refused") throw notMade(`loading ${basename}`, outcome.message);
      await engine.tag(chosen(outcome.names, recipe.name, basename), name, ask);
    }
  }
  const made = await engine.image(textOf(name), ask);
  if (made === undefined)
    throw notMade(`making ${textOf(name)}`, "the engine says that it did, but has none");
  return made;
}

/** The one that was meant of what an archive held. */
function chosen(names: readonly string[], wanted: string | undefined, archive: string): string {
  const [first, ...others] = names;
  const full = wanted === undefined ? undefined : fullName(wanted);
  const match = names.find((name) => name === wanted || (full !== undefined && fullName(name) === full));
  if (match !== undefined) return match;
  if (first !== undefined && others.length === 0) return first;
  const which = wanted === undefined ? "" : `, none of them ${wanted}`;
  throw notMade(
    `loading ${archive}`,
    `expected one image, got ${names.length} (${names.join(", ")})${which}`,
  );
}

function fullName(text: string): string | undefined {
  const name = parseImageName(text);
  return name === undefined ? undefined : imageText(name);
}

function textOf({ repository, tag }: ImageTag): string {
  return `${repository}:${tag}`;
}

function notMade(doing: string, words: string): AppError {
  return new AppError("EXEC_IMAGE_NOT_MADE", `${doing}: ${words}`);
}
