/**
 * A run of predictions as a Process Run Crate 0.5: the model with its release as the program, the files that were read and
 * written, and one action for each batch of rows, with when, by what and in which run it was computed. Pure.
 * https://www.researchobject.org/workflow-run-crate/profiles/0.5/process_run_crate/
 */
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { defined } from "../../kernel/index.ts";
import type { Crate, CrateFile, CrateOptions } from "./ro-crate.ts";
import type { PredictionFacts } from "./run-facts.ts";
import { type RunGraphFacts, sha256Of } from "./run-graph.ts";

const profile = "https://w3id.org/ro/wfrun/process/0.5";
const done = { "@id": "http://schema.org/CompletedActionStatus" };

export function predictionCrateOf(
  { run, calls, delivered }: RunGraphFacts,
  facts: PredictionFacts,
  options: Omit<CrateOptions, "hasSource"> & { readonly noLicense: string },
): Crate {
  const [call] = calls;
  const files: CrateFile[] = [];
  const entities: ({ readonly "@id": string } & Readonly<Record<string, unknown>>)[] = [];
  const add = (entity: (typeof entities)[number]) => {
    entities.push(entity);
    return { "@id": entity["@id"] };
  };
  const inputs = (call?.inputs ?? []).flatMap(({ location, identity }) =>
    location === undefined
      ? []
      : [add(fileOf(pathToFileURL(location).href, location, defined({ identity })))],
  );
  const results = delivered.map(({ path, identity, bytes }) => {
    const target = `outputs/${basename(path)}`;
    const isCopied = options.files === "outputs";
    if (isCopied) files.push({ source: path, target, ...defined({ sha256: sha256Of(identity) }) });
    const id = isCopied ? target.split("/").map(encodeURIComponent).join("/") : pathToFileURL(path).href;
    return add(fileOf(id, path, defined({ identity, bytes })));
  });
  const programs = new Map<string, { readonly "@id": string }>();
  /** The model as this runner and toolkit ran it. */
  const program = ({ runner, toolkit }: { readonly runner?: string; readonly toolkit?: string }) => {
    const name = JSON.stringify([runner, toolkit]);
    const known = programs.get(name);
    if (known !== undefined) return known;
    const id = `#model-${programs.size + 1}`;
    const by = [runner, toolkit].filter((each) => each !== undefined);
    const made = add({
      "@id": id,
      "@type": "SoftwareApplication",
      name: facts.model,
      softwareVersion: facts.release,
      ...(by.length === 0 ? {} : { softwareRequirements: by.join(", ") }),
    });
    programs.set(name, made);
    return made;
  };
  const action = `#run-${encodeURIComponent(run.id)}`;
  const whole = add({
    "@id": action,
    "@type": "CreateAction",
    name: `Run ${run.id} of the model ${facts.model}`,
    description: `${facts.computed} rows computed, ${facts.reused} reused, ${facts.failed} failed.`,
    startTime: run.startedAt,
    ...defined({ endTime: run.endedAt }),
    actionStatus: done,
    instrument: program(facts),
    object: inputs,
    result: results,
  });
  const batches = facts.batches.map(({ rows, computedAt, run: by, ...how }, at) =>
    add({
      "@id": `${action}-batch-${at + 1}`,
      "@type": "CreateAction",
      name: `Batch ${at + 1}: ${rows} rows`,
      description: `${rows} rows were computed ${computedAt ?? "at an unknown time"}, in ${by === undefined ? "a run that is not known" : `run ${by}`}.`,
      ...defined({ endTime: computedAt }),
      actionStatus: done,
      instrument: program(how),
      object: inputs,
      result: results,
    }),
  );
  add({ "@id": profile, "@type": "CreativeWork", name: "Process Run Crate", version: "0.5" });
  const software = [...programs.values()];
  return {
    metadata: {
      "@context": ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"],
      "@graph": [
        {
          "@id": "ro-crate-metadata.json",
          "@type": "CreativeWork",
          about: { "@id": "./" },
          conformsTo: { "@id": "https://w3id.org/ro/crate/1.1" },
        },
        {
          "@id": "./",
          "@type": "Dataset",
          name: `Predictions of ${facts.model}, run ${run.id}`,
          description: `What the run ${run.id} of the model ${facts.model}, release ${facts.release}, read and wrote, and when, by what and in which run its rows were computed. Exported by Memoir.`,
          datePublished: options.exportedAt,
          license: options.license ?? options.noLicense,
          conformsTo: { "@id": profile },
          hasPart: [...inputs, ...results],
          mentions: [whole, ...batches, ...software],
        },
        ...entities,
      ],
    },
    files,
  };
}

function fileOf(
  id: string,
  path: string,
  { identity, bytes }: { readonly identity?: string; readonly bytes?: number },
): { readonly "@id": string } & Readonly<Record<string, unknown>> {
  return {
    "@id": id,
    "@type": "File",
    name: basename(path),
    ...defined({
      sha256: sha256Of(identity),
      contentSize: bytes === undefined ? undefined : String(bytes),
    }),
  };
}
