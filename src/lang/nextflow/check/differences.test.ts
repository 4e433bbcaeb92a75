import { expect, test } from "vitest";
import { parseScript } from "../syntax/script.ts";
import { differencesIn } from "./differences.ts";

function messages(text: string): readonly string[] {
  return differencesIn([parseScript({ name: "main.nf", text }).script]).map(({ message }) => message);
}

test.each([
  ["process P { publishDir 'x', mode: 'link'\nscript: 'a' }", "mode 'link' copies"],
  ["process P { publishDir path: 'x', mode: 'move'\nscript: 'a' }", "mode 'move' copies"],
  ["process P { stageInMode 'link'\nscript: 'a' }", "`stageInMode 'link'` copies"],
  ["process P { beforeScript 'module load x'\nscript: 'a' }", "also in a container"],
  ["process P { containerOptions '--shm-size 1g'\nscript: 'a' }", "`containerOptions`"],
  ['process P { script: "echo ${workflow.runName}" }', "holds workflow.runName"],
  ['process P { script: "echo ${new Date()}" }', "holds new Date()"],
  ["workflow { Channel.watchPath('x') }", "`watchPath` is not supported"],
  ["workflow { println 'ls'.execute().text }", "`execute()` is refused"],
  ["workflow { x = Math.random() }", "random numbers"],
  ["workflow { channel.of(1, 2).randomSample(1).view() }", "without a seed"],
  ["workflow { channel.of(1, 2).collect().view() }", "`collect` without a sort"],
])("%s is noted", (text, words) => {
  expect(messages(text)).toEqual([expect.stringContaining(words)]);
});

test("what is the same in Memoir is not noted", () => {
  expect(
    messages(`process P {
      publishDir 'x', mode: 'copy'
      input: val x
      script: "echo \${x} \${workflow.manifest.version}"
    }
    workflow { P(channel.of(1).collect(sort: true)).view { new Date() }; channel.of(1, 2).randomSample(1, 3).view() }`),
  ).toEqual([]);
});
