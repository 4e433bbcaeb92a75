/** Operators and factories of channels with arguments of all kinds. */
import fc from "fast-check";
import { evaluate } from "../../eval/testing/evaluate-text.ts";
import { strangeEnd, values } from "../../eval/testing/strange.ts";
import { timeLimit } from "../../eval/time-limit.ts";
import type { Outside } from "../../stdlib/outside.ts";
import { textOf } from "../../values/text.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { ScriptFailure } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { ChannelOut } from "../channel-out.ts";
import { Network } from "../network.ts";
import { operators } from "../operators/registry.ts";

const options =
  "[by:0] [by:[0,1]] [by:-1] [by:'a'] [by:99999999] [size:2] [size:0] [size:-1] [size:'x'] [sort:true] [sort:'hash'] [sort:{a,b->1}] [remainder:true] [remainder:true,size:2] [flat:false] [limit:1] [header:true] [sep:''] [elem:5] [skip:-1] [failOnDuplicate:true] [failOnMismatch:true] [tag:1] [onNext:1]".split(
    " ",
  );
const sources = [
  "[]",
  "[1, 2, 3]",
  "['a', 'b', 'a']",
  "[['a', 1], ['b', 2], ['a', 3]]",
  "[['a', [1, 2]], ['b', []]]",
  "[[a: 1], [a: 2]]",
  "[null, 1]",
  "['x,y\\n1,2\\n', 'p,q\\n']",
  "['>id desc\\nACGT\\n', '@r\\nAC\\n+\\nII\\n', '{\"a\": 1}']",
];

export interface OperatorCase {
  readonly operator: string;
  readonly kind: "queue" | "value";
  readonly source: string;
  /** Given in parentheses; `channel` stands for one more channel. */
  readonly given: readonly string[];
}

/** `collectFile` writes files. */
const names = Object.keys(operators).filter((each) => each !== "collectFile");

export const operatorCase: fc.Arbitrary<OperatorCase> = fc.record({
  operator: fc.constantFrom(...names),
  kind: fc.constantFrom("queue" as const, "value" as const),
  source: fc.constantFrom(...sources),
  given: fc.array(fc.oneof(fc.constantFrom(...values), fc.constantFrom(...options), fc.constant("channel")), {
    maxLength: 3,
  }),
});

/** What may not happen; undefined: it ended in items, or in a failure of the script. */
export async function strangeOperator({
  operator,
  kind,
  source,
  given,
}: OperatorCase): Promise<string | undefined> {
  const network = new Network(
    { print: () => undefined, log: () => undefined } as Partial<Outside> as Outside,
    operators,
    timeLimit(20_000),
  );
  const items = listOf(source);
  const started = strangeEnd(() => {
    const from = kind === "queue" ? Channel.of(network, items) : Channel.value(network, items[0] ?? null);
    const all = given.map((each) =>
      each === "channel" ? Channel.of(network, items) : evaluate(`return ${each}`),
    );
    show(from.invoke(operator, all) ?? null);
  });
  if (started !== undefined) return started;
  try {
    await network.run();
    return undefined;
  } catch (error) {
    if (!(error instanceof ScriptFailure)) return error instanceof Error ? error.stack : String(error);
    return error.message.includes("did not get further") ? "it does not end" : undefined;
  }
}

function listOf(text: string): List {
  const found = evaluate(`return ${text}`);
  return isList(found) ? found : [];
}

function show(made: Value): void {
  if (made instanceof ChannelOut) for (const each of made.items) show(each);
  if (made instanceof Channel) made.subscribe({ next: (each) => void textOf(each), end: () => undefined });
}
