import { describe, expect, it } from "vitest";
import type { FromRun, RunItem } from "./messages.ts";
import { Outbox } from "./outbox.ts";

const note = (n: number): RunItem => ({
  kind: "event",
  event: { kind: "note", path: "", message: `line ${n}`, at: 0 },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("what a run sends", () => {
  it("arrives in its order, and no faster than it is taken", async () => {
    const sent: FromRun[] = [];
    const outbox = new Outbox((message) => sent.push(message));
    for (let n = 0; n < 1_000; n++) outbox.add(note(n));
    await turn();
    expect(sent.length).toBe(2);
    const emptied = outbox.emptied();
    for (let taken = 0; taken < sent.length; taken++) outbox.taken();
    await emptied;
    const items = sent.flatMap((message) => (message.kind === "batch" ? message.items : []));
    expect(items).toEqual(Array.from({ length: 1_000 }, (_, n) => note(n)));
  });

  it("has a limit for what scripts print: what is left out is named once", async () => {
    let count = 0;
    const words: string[] = [];
    const outbox: Outbox = new Outbox((message) => {
      if (message.kind !== "batch") return;
      for (const item of message.items) {
        if (item.kind !== "event") continue;
        if (item.event.kind === "note") count++;
        if (item.event.kind === "log") words.push(item.event.words);
      }
      queueMicrotask(() => outbox.taken());
    });
    for (let n = 0; n < 100_010; n++) outbox.add(note(n));
    await turn();
    await outbox.emptied();
    expect(count).toBe(100_000);
    expect(words).toEqual(["the run has written 100000 lines: this log leaves out further ones"]);
  });
});
