/** Runs Slurm's programs, for whoever wants something of the cluster. What they say is read elsewhere. */
import { type Ask, freshAsk } from "../../kernel/index.ts";
import { describeOutcome, runProgram } from "../../process/index.ts";

export type SlurmAnswer =
  | { readonly kind: "answered"; readonly stdout: string }
  /** It ended otherwise; `words` are its errors. */
  | { readonly kind: "failed"; readonly words: string }
  | { readonly kind: "not-found"; readonly program: string };

export type SlurmProgram = "sbatch" | "squeue" | "scancel" | "scontrol" | "sinfo" | "sacct";

export type SlurmClient = (
  program: SlurmProgram,
  args: readonly string[],
  more?: { readonly stdin?: Uint8Array; readonly ask?: Ask },
) => Promise<SlurmAnswer>;

const limitMs = 60_000;
/** A row has about a hundred bytes, and some users have many jobs. */
const answerBytes = 64 << 20;

export function createSlurmClient(env: Readonly<Record<string, string>>): SlurmClient {
  const own = clientEnvironment(env);
  return async (program, args, { stdin, ask = freshAsk() } = {}) => {
    const outcome = await runProgram(
      {
        command: program,
        args,
        cwd: "/",
        env: own,
        timeoutMs: limitMs,
        stdout: { kind: "capture", limitBytes: answerBytes },
        ...(stdin === undefined ? {} : { stdin: { kind: "bytes", bytes: stdin } }),
      },
      ask,
    );
    if (outcome.kind === "not-found") return { kind: "not-found", program };
    if (outcome.kind === "exited" && outcome.exitCode === 0) {
      const { stdout, stdoutTruncated } = outcome;
      return stdoutTruncated
        ? { kind: "failed", words: `${program} answered more than ${answerBytes} bytes` }
        : { kind: "answered", stdout };
    }
    const words = outcome.stderr.trim().split("\n").slice(-5).join("; ");
    return { kind: "failed", words: words === "" ? `${program}: ${describeOutcome(outcome)}` : words };
  };
}

/** Inside a job, variables that describe that job would change what is asked for. */
function clientEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = new Set(["SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"]);
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:SLURM|SLURMD|SBATCH|SQUEUE)_/.test(name) || kept.has(name)),
  );
}
