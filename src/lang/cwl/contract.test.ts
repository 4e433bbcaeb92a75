import { frontEndContract } from "../core/front-end-contract.ts";
import { cwlKind } from "./kind.ts";

frontEndContract({
  kind: cwlKind,
  documents: {
    "main.cwl": `cwlVersion: v1.2
class: Workflow
inputs: { word: string }
outputs: { loud: { type: string, outputSource: shout/loud } }
steps:
  shout: { run: shout.cwl, in: { word: word }, out: [loud] }
`,
    "shout.cwl": `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: { word: { type: string, inputBinding: {} } }
outputs: { loud: string }
`,
  },
  main: "main.cwl",
  inputs: { word: "Ada" },
  wrongInputs: { word: { class: "File", path: "x" } },
  outputsOf: () => ({ loud: "ADA" }),
  broken:
    "cwlVersion: v1.2\nclass: Workflow\ninputs: {}\noutputs: {}\nsteps: { a: { run: nothing.cwl, in: {}, out: [x, 1] } }\n",
});
