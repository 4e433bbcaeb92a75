/** Channels that end when nobody waits for their items any more. */
import { describe, expect, it } from "vitest";
import { runPipeline } from "../run/testing/run-text.ts";

describe("channels without an end", () => {
  it("watchPath emits files that are made while the run is under way, until nobody waits for more", async () => {
    const { kind, lines } = await runPipeline({
      files: {
        "in/old.fa": "old",
        "main.nf": `
          workflow {
            seen = channel.watchPath('in/*.fa')
            seen.map { it.name }.until { it == 'end.fa' }.view { "seen $it" }
            channel.interval('5ms').take(2).view { n -> file(n == 0 ? 'in/a.fa' : 'in/end.fa').text = 'x' }
          }`,
      },
    });
    expect(kind).toBe("succeeded");
    expect(lines.filter((line) => line.startsWith("seen"))).toEqual(["seen a.fa"]);
  });

  it("interval counts from zero, and a closure says what is emitted", async () => {
    const { lines } = await runPipeline({
      files: {
        "main.nf": `workflow {
          channel.interval('1ms').take(3).view { "n $it" }
          channel.interval('1ms') { "v$it" }.until { it == 'v2' }.view()
        }`,
      },
    });
    expect(lines).toEqual(["n 0", "n 1", "n 2", "v0", "v1"]);
  });
});
