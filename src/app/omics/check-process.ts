/** The other side of `createDefinitionChecker`: one question comes from the parent, one reply goes back. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { messageOf } from "../../kernel/index.ts";
import { type CheckAnswer, type CheckQuestion, checkDefinition } from "./check-definition.ts";

export type CheckReply =
  | { readonly kind: "answer"; readonly answer: CheckAnswer }
  | { readonly kind: "bug"; readonly message: string };

/** A parent that was killed ends nobody, and a document may keep the main thread busy: another thread looks at the time. */
const watchdog = `
const { workerData } = require("node:worker_threads");
setTimeout(() => process.kill(process.pid, "SIGKILL"), workerData);
`;

export async function answerCheck(): Promise<void> {
  if (process.send === undefined) return;
  const [{ question, seconds }] = (await once(process, "message")) as [
    { readonly question: CheckQuestion; readonly seconds: number },
  ];
  new Worker(watchdog, { eval: true, workerData: (seconds + 5) * 1000 }).unref();
  process.once("disconnect", () => process.exit());
  const reply = await replyTo(question);
  process.send(reply, () => process.exit());
}

async function replyTo(question: CheckQuestion): Promise<CheckReply> {
  try {
    return {
      kind: "answer",
      answer: await checkDefinition(question, { signal: new AbortController().signal }),
    };
  } catch (error) {
    return { kind: "bug", message: messageOf(error) };
  }
}
