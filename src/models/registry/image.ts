/** An image of a model as a model: what the server in it says about itself. Its digest is part of the release. */
import { AppError, type Ask, defined, freshAsk } from "../../kernel/index.ts";
import { openContainer } from "../image/image-runner.ts";
import { findImage } from "../image/model-container.ts";
import type { Model } from "../model.ts";
import type { FetchSource } from "./fetch-source.ts";
import { describeServer } from "./hosted.ts";

/** @throws AppError EXEC_ENGINE_NOT_FOUND, MODEL_IMAGE_MISSING, MODEL_CONTAINER_FAILED, MODEL_SERVER_* */
export async function describeImage(
  source: Extract<FetchSource, { kind: "image" }>,
  env: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<Model> {
  const { image, id, memoryBytes, cpus } = source;
  const { engine, digest } = await findImage(image, { env }, ask);
  const found = { image, digest, engine, ...defined({ memoryBytes, cpus }) };
  const { container, url } = await openContainer(found, { env }, ask);
  try {
    const model = await describeServer(url, ask);
    if (id !== undefined && id !== model.id)
      throw new AppError(
        "MODEL_SERVER_ANSWER",
        `fetching the image ${image}: it holds ${model.id}, not ${id}`,
      );
    const release = `${model.release}-image-${digest.slice(0, 12)}`;
    return { ...model, release, source: { kind: "image", ...found } };
  } finally {
    await container.close(freshAsk());
  }
}
