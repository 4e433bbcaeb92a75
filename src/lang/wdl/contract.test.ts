import { frontEndContract } from "../core/front-end-contract.ts";
import { wdlKind } from "./kind.ts";

const task = `task shout {
  input { String word }
  command <<< echo "~{word}!" >>>
  output { String loud = read_string(stdout()) }
}`;

frontEndContract({
  kind: wdlKind,
  documents: {
    "main.wdl": `version 1.1
import "tasks.wdl" as tasks
workflow greet {
  input { Array[String] names }
  scatter (name in names) { call tasks.shout { input: word = name } }
  output { Array[String] all = shout.loud }
}`,
    "tasks.wdl": `version 1.1\n${task}`,
  },
  main: "main.wdl",
  inputs: { "greet.names": ["Ada", "Grace"] },
  wrongInputs: { "greet.names": { a: 1 } },
  outputsOf: () => ({ loud: "HI!" }),
  broken: "version 1.1\nworkflow greet { call nothing }",
});
