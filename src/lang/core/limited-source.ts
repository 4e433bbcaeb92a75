/**
 * A source tree of which only so much is read, whatever the documents are called and however they are pulled in: by an
 * import, as a text, or as an ontology.
 */
import { AppError } from "../../kernel/index.ts";
import type { DocumentLimits } from "./front-end.ts";
import type { SourceTree } from "./source-tree.ts";

export function limitSource(tree: SourceTree, limits: DocumentLimits): SourceTree {
  const counted = new Map<string, number>();
  let together = 0;
  return {
    ...tree,
    read: async (uri, ask, use) => {
      const source = await tree.read(uri, ask, use);
      if (source === undefined) return undefined;
      const size = Buffer.byteLength(source.text);
      if (use !== "data" && size > limits.documentBytes)
        throw new AppError(
          "WORKFLOW_DOCUMENT_REFUSED",
          `reading ${source.name}: it has ${size} bytes; a document has at most ${limits.documentBytes} here: import the rest from others`,
        );
      together += size - (counted.get(uri) ?? 0);
      counted.set(uri, size);
      if (together > limits.bytes)
        throw new AppError(
          "WORKFLOW_DOCUMENT_REFUSED",
          `reading ${source.name}: the workflow's documents have more than ${limits.bytes} bytes together`,
        );
      return source;
    },
  };
}
