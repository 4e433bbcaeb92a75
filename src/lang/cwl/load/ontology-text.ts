/**
 * Reads from ontologies what file formats need: rdfs:subClassOf and owl:equivalentClass, out of RDF/XML or Turtle.
 * Everything else in them is skipped, so that large ontologies are read fast.
 */

const subClass = "http://www.w3.org/2000/01/rdf-schema#subClassOf";
const equivalent = "http://www.w3.org/2002/07/owl#equivalentClass";

/** `[narrow, wide]`; equivalent classes give both directions. */
export type FormatPair = readonly [string, string];

export function readOntology(text: string): FormatPair[] {
  return /<(?:\w+:)?RDF[\s>]/.test(text.slice(0, 100_000)) ? readRdfXml(text) : readTurtle(text);
}

function readRdfXml(text: string): FormatPair[] {
  const entities = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/<!ENTITY\s+(\S+)\s+"([^"]*)"/g))
    if (name !== undefined && value !== undefined) entities.set(name, value);
  const base = /\bxml:base\s*=\s*"([^"]*)"/.exec(text)?.[1] ?? "";
  const iri = (written: string) => {
    const whole = written.replace(
      /&(\w+);/g,
      (all, name: string) => entities.get(name) ?? (name === "amp" ? "&" : all),
    );
    return /^[a-z][a-z0-9+.-]*:/i.test(whole) ? whole : base + whole;
  };
  const pairs: FormatPair[] = [];
  /** Open elements that name a class, and how deep they stand. */
  const subjects: { readonly depth: number; readonly iri: string | undefined }[] = [];
  /** An open subClassOf or equivalentClass without rdf:resource: the class inside is meant. */
  let pending: { readonly depth: number; readonly relation: string } | undefined;
  let depth = 0;
  for (const match of text.matchAll(/<!--[\s\S]*?-->|<(\/?)([\w.-]+:)?([\w.-]+)((?:\s[^<>]*?)?)(\/?)>/g)) {
    const [, closing, , name, attributes = "", empty] = match;
    if (name === undefined) continue;
    if (closing === "/") {
      depth--;
      if (subjects.at(-1)?.depth === depth) subjects.pop();
      if (pending?.depth === depth) pending = undefined;
      continue;
    }
    const about = /\brdf:(?:about|ID)\s*=\s*"([^"]*)"/.exec(attributes)?.[1];
    const resource = /\brdf:resource\s*=\s*"([^"]*)"/.exec(attributes)?.[1];
    const subject = subjects.at(-1)?.iri;
    if (name === "subClassOf" || name === "equivalentClass") {
      const relation = name === "subClassOf" ? subClass : equivalent;
      if (resource !== undefined && subject !== undefined) add(pairs, subject, relation, iri(resource));
      else if (empty !== "/" && subject !== undefined) pending = { depth, relation };
    } else if (pending !== undefined && subject !== undefined && about !== undefined) {
      add(pairs, subject, pending.relation, iri(about));
    }
    if (empty === "/") continue;
    if ((name === "Class" || name === "Description") && pending === undefined)
      subjects.push({ depth, iri: about === undefined ? undefined : iri(about) });
    depth++;
  }
  return pairs;
}

function readTurtle(text: string): FormatPair[] {
  const prefixes = new Map<string, string>();
  const pairs: FormatPair[] = [];
  let base = "";
  let subject: string | undefined;
  let predicate: string | undefined;
  let depth = 0;
  const iri = (token: string) => {
    if (token.startsWith("<")) {
      const inner = token.slice(1, -1);
      return /^[a-z][a-z0-9+.-]*:/i.test(inner) ? inner : base + inner;
    }
    const at = token.indexOf(":");
    const space = prefixes.get(token.slice(0, at));
    return space === undefined ? undefined : space + token.slice(at + 1);
  };
  const tokens = [...text.matchAll(turtleToken)]
    .map((match) => match[0])
    .filter((token) => !token.startsWith("#"));
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    const directive = token.toLowerCase();
    if (directive === "@prefix" || directive === "prefix") {
      const [name, value] = [tokens[at + 1] ?? "", tokens[at + 2] ?? ""];
      prefixes.set(name.replace(/:$/, ""), value.slice(1, -1));
      at += directive === "@prefix" ? 3 : 2;
    } else if (directive === "@base" || directive === "base") {
      base = (tokens[at + 1] ?? "").slice(1, -1);
      at += directive === "@base" ? 2 : 1;
    } else if (token === "[" || token === "(") depth++;
    else if (token === "]" || token === ")") depth--;
    else if (depth > 0) continue;
    else if (token === ".") [subject, predicate] = [undefined, undefined];
    else if (token === ";") predicate = undefined;
    else if (token === ",") continue;
    else if (subject === undefined) subject = iri(token) ?? "";
    else if (predicate === undefined) predicate = token === "a" ? "a" : (iri(token) ?? "");
    else {
      const object = iri(token);
      if (object !== undefined) add(pairs, subject, predicate, object);
    }
  }
  return pairs;
}

const turtleToken =
  /#[^\n]*|<[^<>\s]*>|"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|@?[\p{L}_][\p{L}\p{N}_.-]*(?<!\.):?[\p{L}\p{N}_.%-]*(?<!\.)|:[\p{L}\p{N}_.%-]*(?<!\.)|\^\^|[[\](){};,.]|[^\s[\](){};,<>"'#]+/gu;

function add(pairs: FormatPair[], subject: string, relation: string, object: string): void {
  if (subject === "" || (relation !== subClass && relation !== equivalent)) return;
  pairs.push([subject, object]);
  if (relation === equivalent) pairs.push([object, subject]);
}
