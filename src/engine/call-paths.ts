/** Paths of calls that come from what goes into them: in dataflow the order of arrival is another one in every run. */
import { canonicalText, sha256 } from "../hash/index.ts";
import { type Ask, isAppError } from "../kernel/index.ts";
import type { Value } from "../task/index.ts";
import type { Materials } from "./materials.ts";
import { contentOf } from "./value-content.ts";

const digestLength = 16;

export class CallPaths {
  readonly #materials: Materials;
  /** How often a path was asked for. */
  readonly #asked = new Map<string, number>();

  constructor(materials: Materials) {
    this.#materials = materials;
  }

  async of(name: string, inputs: Value, ask: Ask): Promise<string> {
    const content = await contentOf(inputs, async (file) => {
      try {
        return await this.#materials.identityOf(file, ask);
      } catch (error) {
        // A file that is not there is the call's trouble, and is reported where it is staged.
        if (isAppError(error) && error.row.kind === "not-found") return { text: `absent:${file.location}` };
        throw error;
      }
    });
    const path = `${name}[${sha256(canonicalText(["call", content])).slice(0, digestLength)}]`;
    const nth = (this.#asked.get(path) ?? 0) + 1;
    this.#asked.set(path, nth);
    return nth === 1 ? path : `${path}~${nth}`;
  }
}
