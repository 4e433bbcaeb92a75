/** memoir runs export */
import type { ExportResult } from "../../app/index.ts";
import { defined, writeJson } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { version } from "../version.ts";
import { runArgument, runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<ExportResult>({
  name: "runs export",
  summary:
    "Write the provenance of a run of workflows, of the server or of predictions as an RO-Crate or as JSON",
  details: [
    "An RO-Crate (profile Provenance Run Crate 0.5) describes the workflow, its steps, every call with its command, image, times and resources, and the files that it used and made. It contains the document of the workflow and the final outputs; other files are referred to where they are, with their checksums.",
    "A run of predictions is a crate of the profile Process Run Crate 0.5: the model with its release, its input and output, and by batch when, by what and in which run the rows were computed. `memoir trace` of its output names its id.",
    "json prints the plain graph: calls, and which call's output is which call's input.",
  ],
  arguments: [runArgument],
  options: [
    {
      flags: "--format <format>",
      description: "what is written",
      default: "ro-crate",
      choices: ["ro-crate", "json"],
    },
    {
      flags: "-o, --output <path>",
      description: "folder, or file ending with .zip, that is made for the crate",
    },
    {
      flags: "--files <which>",
      description: "files that are copied into the crate",
      default: "outputs",
      choices: ["outputs", "none"],
    },
    {
      flags: "--license <license>",
      description: "licence of the crate, as a URL or a text",
      default: "a sentence that none was stated",
    },
    runsDirOption,
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host && memoir runs export last --output hello-crate",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.runs.export(
      {
        format: given.text("format") === "json" ? "json" : "ro-crate",
        files: given.text("files") === "none" ? "none" : "outputs",
        version: version(),
        ...defined({
          run: given.argument(0),
          runsDir: given.text("runs-dir"),
          output: given.text("output"),
          license: given.text("license"),
        }),
      },
      ask,
    ),
  render: (result, screen) => {
    if (result.format === "json") screen.out(writeJson(result.graph));
    else
      screen.out(
        `wrote run ${result.run} to ${result.folder}: ${plural(result.files, "file")}, ${result.entities} descriptions in ro-crate-metadata.json`,
      );
  },
});
