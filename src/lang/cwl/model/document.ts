/** A loaded document: the process to run and what is known around it. */
import type { Ontology } from "../values/ontology.ts";
import type { Process } from "./process.ts";

export interface CwlDocument {
  readonly process: Process;
  /** What `$schemas` say about formats, all documents together. */
  readonly ontology: Ontology;
  /** Prefixes of the root document: `edam` -> `http://edamontology.org/`. */
  readonly namespaces: Readonly<Record<string, string>>;
}
