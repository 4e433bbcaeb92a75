/** Workflows in a sandbox of the real command line: on the host, with a cache that takes host tasks. */
import { Sandbox } from "../cli/memoir.ts";

export interface RunAnswer {
  readonly run: string;
  readonly state: "succeeded" | "failed" | "cancelled";
  readonly directory: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly failures: readonly {
    readonly kind: string;
    readonly call?: string;
    readonly command?: string;
    readonly failure?: {
      readonly kind: string;
      readonly message: string;
      readonly directory?: string;
      readonly stderrTail?: string;
    };
  }[];
  readonly calls: {
    readonly reused: number;
    readonly computed: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  readonly unstable: readonly { readonly call: string; readonly outputs: readonly string[] }[];
}

export const onHost = ["--executor", "host", "--cache", "./cache", "--cache-host-tasks"] as const;

/** Runs a workflow on the host; its summary, whatever the exit code was. */
export async function runOnHost(sandbox: Sandbox, ...words: readonly string[]): Promise<RunAnswer> {
  const { code, out, err } = await sandbox.run("run", ...words, ...onHost, "--json");
  if (out === "") throw new Error(`memoir run ${words.join(" ")} ended with ${code}:\n${err}`);
  return JSON.parse(out) as RunAnswer;
}

/** `r` reused and `c` computed calls. */
export async function counts(sandbox: Sandbox, ...words: readonly string[]): Promise<string> {
  const { calls, state, failures } = await runOnHost(sandbox, ...words);
  if (state !== "succeeded") throw new Error(`${state}: ${JSON.stringify(failures)}`);
  return `${calls.reused} reused, ${calls.computed} computed`;
}

export { Sandbox };
