/** The published SHACL shapes of Workflow Run RO-Crate, and whether a crate's metadata fits them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import oxigraph from "oxigraph";
import Validator from "rdf-validate-shacl";

/** The profiles of runs of workflows and of predictions, with those that they extend. */
const profiles = {
  workflow: [
    "ro-crate/1.1",
    "workflow-ro-crate",
    "process-run-crate",
    "workflow-run-crate",
    "provenance-run-crate",
  ],
  process: ["ro-crate/1.1", "process-run-crate"],
};
const sh = "http://www.w3.org/ns/shacl#";
const rdfType = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

const equivalent = "http://www.w3.org/2002/07/owl#equivalentClass";
const subclass = "http://www.w3.org/2000/01/rdf-schema#subClassOf";

export interface Shapes {
  readonly store: oxigraph.Store;
  /** Files that were read. */
  readonly files: number;
}

/** Which shapes a crate's metadata says that it fits. */
export function kindOf(metadata: string): keyof typeof profiles {
  return metadata.includes("https://w3id.org/ro/wfrun/provenance/") ? "workflow" : "process";
}

export function shapesIn(checkout: string, kind: keyof typeof profiles): Shapes {
  const store = new oxigraph.Store();
  const root = join(checkout, "rocrate_validator", "profiles");
  let files = 0;
  const load = (path: string) => {
    store.load(readFileSync(path, "utf8"), {
      format: "text/turtle",
      base_iri: "https://example.org/shapes/",
    });
    files++;
  };
  for (const name of ["prefixes.ttl", "ontology.ttl"]) load(join(root, "ro-crate", "1.1", name));
  for (const profile of profiles[kind]) {
    const folder = join(root, ...profile.split("/"), "must");
    for (const name of readdirSync(folder).sort()) if (name.endsWith(".ttl")) load(join(folder, name));
  }
  return { store, files };
}

/** What the metadata violates; empty = it fits. */
export async function checkCrate(
  metadata: string,
  { shapes, contexts, base }: { readonly shapes: Shapes; readonly contexts: string; readonly base: string },
): Promise<readonly string[]> {
  const data = new oxigraph.Store();
  data.load(withContexts(metadata, contexts), { format: "application/ld+json", base_iri: base });
  if (data.size === 0) return ["the metadata says nothing"];
  // Targets of this crate are added.
  const own = new oxigraph.Store(shapes.store.match(null, null, null, null));
  const faults = [...advanced(own, data, prefixesIn(own, base))];
  const report = await new Validator(asDataset(own)).validate(asDataset(data));
  for (const { severity, message, focusNode, path, sourceShape } of report.results) {
    if (severity?.value !== `${sh}Violation`) continue;
    const words = message.map(({ value }) => value).join("; ");
    faults.push(`${focusNode?.value} ${path?.value ?? ""}: ${words === "" ? sourceShape?.value : words}`);
  }
  return [...new Set(faults)];
}

/** Nothing is asked of the network: the contexts are in checkouts. */
function withContexts(metadata: string, contexts: string): string {
  const files: Readonly<Record<string, string>> = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate/docs/_compatibility/1.1/context.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "ro-terms/workflow-run/context.json",
    // As older crates name it.
    "https://w3id.org/ro/terms/workflow-run": "ro-terms/workflow-run/context.json",
  };
  const json = JSON.parse(metadata) as { readonly "@context": readonly (string | object)[] };
  const known = json["@context"].map((url) => {
    if (typeof url !== "string") return url;
    const file = files[url];
    if (file === undefined) throw new Error(`the context ${url} is not known`);
    return (JSON.parse(readFileSync(join(contexts, file), "utf8")) as { readonly "@context": unknown })[
      "@context"
    ];
  });
  return JSON.stringify({ ...json, "@context": known });
}

/** Known everywhere, and declared nowhere. */
const usualPrefixes = [
  "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>",
  "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>",
  "PREFIX owl: <http://www.w3.org/2002/07/owl#>",
  "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>",
].join("\n");

function prefixesIn(shapes: oxigraph.Store, base: string): string {
  const rows = shapes.query(
    `SELECT DISTINCT ?prefix ?namespace WHERE { ?x <${sh}prefix> ?prefix ; <${sh}namespace> ?namespace }`,
  ) as readonly Map<string, oxigraph.Literal>[];
  // `./` is relative to the crate.
  return rows
    .map(
      (row) =>
        `PREFIX ${row.get("prefix")?.value}: <${new URL(row.get("namespace")?.value ?? "", base).href}>`,
    )
    .join("\n");
}

/**
 * SPARQL targets become plain ones, triple rules are carried out until they add nothing, SPARQL constraints are asked:
 * the engine does none of these.
 */
function advanced(shapes: oxigraph.Store, data: oxigraph.Store, prefixes: string): readonly string[] {
  const ask = (text: string) =>
    data.query(`${prefixes}\n${usualPrefixes}\n${text}`) as readonly Map<string, oxigraph.NamedNode>[];
  const targets = shapes.query(
    `SELECT ?shape ?select WHERE { ?shape <${sh}target> ?t . ?t <${sh}select> ?select }`,
  ) as readonly Map<string, oxigraph.NamedNode>[];
  const rules = shapes.query(
    `SELECT ?shape ?predicate ?object ?class WHERE {
       ?shape <${sh}rule> ?r . ?r <${sh}predicate> ?predicate ; <${sh}object> ?object
       OPTIONAL { ?shape <${sh}targetClass> ?class } }`,
  ) as readonly Map<string, oxigraph.NamedNode>[];
  const nodesOf = (shape: oxigraph.Term | undefined): readonly oxigraph.NamedNode[] =>
    targets
      .filter((row) => row.get("shape")?.value === shape?.value)
      .flatMap((row) => ask(row.get("select")?.value ?? "").flatMap((each) => each.get("this") ?? []));
  const type = oxigraph.namedNode(rdfType);
  for (let before = -1; before !== data.size; ) {
    before = data.size;
    // What the ontology next to the shapes says of classes.
    for (const { subject, predicate, object } of shapes.match(null, null, null, null)) {
      const pairs =
        predicate.value === equivalent
          ? [[subject, object] as const, [object, subject] as const]
          : predicate.value === subclass
            ? [[subject, object] as const]
            : [];
      for (const [is, also] of pairs)
        for (const { subject: node } of data.match(null, type, is as oxigraph.NamedNode, null))
          data.add(oxigraph.quad(node as oxigraph.NamedNode, type, also as oxigraph.NamedNode));
    }
    for (const rule of rules) {
      const byClass = rule.get("class");
      const nodes =
        byClass === undefined
          ? nodesOf(rule.get("shape"))
          : data.match(null, type, byClass, null).map(({ subject }) => subject as oxigraph.NamedNode);
      const [predicate, object] = [rule.get("predicate"), rule.get("object")];
      if (predicate === undefined || object === undefined) continue;
      for (const node of nodes) if (isNode(node)) data.add(oxigraph.quad(node, predicate, object));
    }
  }
  const target = oxigraph.namedNode(`${sh}targetNode`);
  for (const row of targets) {
    const shape = row.get("shape");
    if (shape === undefined) continue;
    for (const node of nodesOf(shape)) shapes.add(oxigraph.quad(shape, target, node));
  }
  const constraints = shapes.query(
    `SELECT ?shape ?select ?message WHERE { ?shape <${sh}sparql> ?c . ?c <${sh}select> ?select ; <${sh}message> ?message }`,
  ) as readonly Map<string, oxigraph.Literal>[];
  for (const quad of shapes.match(null, oxigraph.namedNode(`${sh}sparql`), null, null)) shapes.delete(quad);
  return constraints.flatMap((row) => {
    const select = (row.get("select")?.value ?? "").replaceAll("$this", "?this");
    return ask(select).map(
      (found) => `${found.get("this")?.value ?? "the crate"}: ${row.get("message")?.value}`,
    );
  });
}

/** Whether something can be said about a term. */
function isNode(term: oxigraph.Term | undefined): boolean {
  return term?.termType === "NamedNode" || term?.termType === "BlankNode";
}

function asDataset(store: oxigraph.Store): never {
  return new Quads(store) as never;
}

/** As RDF/JS programs expect a set of quads. */
class Quads {
  readonly #store: oxigraph.Store;

  constructor(store: oxigraph.Store) {
    this.#store = store;
  }

  get size(): number {
    return this.#store.size;
  }

  has(quad: oxigraph.Quad): boolean {
    return this.#store.has(quad);
  }

  match(...pattern: readonly (oxigraph.Term | null | undefined)[]): Quads {
    const [subject, predicate, object, graph] = pattern.map((term) => term ?? null);
    const found = new oxigraph.Store();
    if (subject !== null && !isNode(subject)) return new Quads(found);
    for (const quad of this.#store.match(
      subject as never,
      predicate as never,
      object as never,
      graph as never,
    ))
      found.add(quad);
    return new Quads(found);
  }

  [Symbol.iterator](): Iterator<oxigraph.Quad> {
    return this.#store.match(null, null, null, null)[Symbol.iterator]();
  }
}
