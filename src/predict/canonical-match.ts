/** `--match canonical`: another spelling of the same molecule counts as found. The form carries its toolkit's version. */
import type { Ask } from "../kernel/index.ts";
import type { Canonicalizer } from "../models/index.ts";

export class CanonicalMatch {
  readonly #load: () => Promise<Canonicalizer>;
  #loaded: Promise<Canonicalizer> | undefined;
  readonly #forms = new Map<string, string>();

  constructor(load: () => Promise<Canonicalizer>) {
    this.#load = load;
  }

  /** The forms of the inputs; undefined = not a molecule. They are remembered until `release`. */
  async formsOf(inputs: readonly string[], ask: Ask): Promise<readonly (string | undefined)[]> {
    this.#loaded ??= this.#load();
    const forms = await (await this.#loaded).canonicalize(inputs, ask);
    return inputs.map((input, i) => {
      const found = forms[i];
      if (found === undefined) return undefined;
      const form = `${found.toolkit}:${found.canonical}`;
      this.#forms.set(input, form);
      return form;
    });
  }

  /** The form of an input that `formsOf` has seen, to be recorded next to its row. */
  formOf(input: string): string | undefined {
    return this.#forms.get(input);
  }

  release(inputs: readonly string[]): void {
    for (const input of inputs) this.#forms.delete(input);
  }

  async close(): Promise<void> {
    if (this.#loaded === undefined) return;
    await this.#loaded.then(
      (canonicalizer) => canonicalizer.close(),
      () => undefined,
    );
  }
}
