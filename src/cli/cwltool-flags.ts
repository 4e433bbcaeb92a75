/**
 * Flags of cwltool that scripts pass: those that ask for what Memoir does anyway or that change nothing here are accepted;
 * all others are answered with what to use instead.
 */
import { AppError } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./command.ts";

/** What other runners are asked for and this one does in any case, or what means nothing here. */
const accepted: readonly (readonly [flags: string, description: string])[] = [
  ["--parallel", "accepted; what can run at the same time does"],
  ["--strict", "accepted; this is the default"],
  ["--verbose", "accepted; this is the default"],
  ["--debug", "accepted; the run's folder holds more, see --runs-dir"],
  ["--timestamps", "accepted; lines carry none"],
  ["--disable-color", "accepted; colors are for terminals only"],
  ["--enable-color", "accepted; colors are for terminals only"],
  ["--enable-dev", "accepted; development versions of v1.0 to v1.2 are read as those"],
  ["--enable-ext", "accepted; extensions that are not supported are reported by name"],
  ["--enable-pull", "accepted; images that are missing are pulled"],
  ["--rm-container", "accepted; containers are removed"],
  ["--rm-tmpdir", "accepted; the run's folder is removed"],
  ["--move-outputs", "accepted; outputs in --outdir belong to you"],
  ["--copy-outputs", "accepted; outputs in --outdir belong to you"],
  ["--compute-checksum", "accepted; files are listed with their checksum"],
  ["--relax-path-checks", "accepted; names may have spaces and other characters"],
  ["--no-warnings", "accepted; use --quiet for silence"],
  ["--skip-schemas", "accepted; schemas that cannot be read never stop a run"],
  ["--no-doc-cache", "accepted; documents are always read again"],
  ["--doc-cache", "accepted; documents are always read again"],
  ["--fast-parser", "accepted; there is one parser"],
  ["--no-match-user", "accepted; outputs belong to you in any case"],
  ["--streaming-allowed", "accepted; inputs are files in any case"],
  ["--disable-host-provenance", "accepted; no provenance of the host is written"],
  ["--disable-user-provenance", "accepted; no provenance of the user is written"],
  ["--disable-js-validation", "accepted; JavaScript is checked by `memoir check`"],
  ["--disable-validate", "accepted; documents are checked, which costs little"],
  ["--js-console", "accepted; what expressions log is not shown"],
];

/** What another command or flag does. */
const elsewhere: readonly (readonly [flags: string, instead: string])[] = [
  ["--make-template", "use `memoir inputs PROCESS`"],
  ["--print-deps", "use `memoir check PROCESS`, which reads everything that the document needs"],
  ["--print-pre", "use `memoir check PROCESS`"],
  ["--print-rdf", "Memoir writes no RDF; `memoir inputs PROCESS --json` describes the interface"],
  ["--print-dot", "Memoir draws no graphs; `memoir runs show RUN` lists the calls of a run"],
  ["--print-input-deps", "use `memoir inputs PROCESS`"],
  ["--print-subgraph", "name one process of the document with PROCESS#fragment"],
  ["--print-targets", "name one process of the document with PROCESS#fragment"],
  ["--print-supported-versions", "Memoir runs v1.0, v1.1 and v1.2"],
  ["--pack", "Memoir reads packed documents and writes none"],
  ["--tool-help", "use `memoir inputs PROCESS`"],
  ["--target <id>", "name one process of the document with PROCESS#fragment"],
  ["--single-step <id>", "name one process of the document with PROCESS#fragment"],
  ["--single-process <id>", "name one process of the document with PROCESS#fragment"],
  ["--udocker", "Memoir runs Docker and Podman; leave the flag out, or use --no-container"],
  [
    "--user-space-docker-cmd <command>",
    "Memoir runs Docker and Podman; leave the flag out, or use --no-container",
  ],
  [
    "--default-container <image>",
    "name the image with DockerRequirement, or as a hint in the job (cwl:requirements)",
  ],
  ["--no-read-only", "mark what a tool may change with `writable` in InitialWorkDirRequirement"],
  ["--leave-container", "use --runs-dir, which keeps everything that a container wrote"],
  ["--leave-tmpdir", "use --runs-dir to keep the run's folder"],
  ["--leave-outputs", "use --runs-dir to keep the run's folder"],
  ["--log-dir <folder>", "use --runs-dir; the streams of each call are kept there"],
  ["--cidfile-dir <folder>", "containers are named by their run; see `memoir runs show`"],
  ["--record-container-id", "containers are named by their run; see `memoir runs show`"],
  [
    "--provenance <folder>",
    "Memoir writes no research object; `memoir runs show RUN --json` says what was computed from what",
  ],
  ["--write-summary <file>", "the output object is printed; send standard output to the file"],
  [
    "--preserve-environment <name>",
    "declare the variable with EnvVarRequirement, in the document or in the job (cwl:requirements)",
  ],
  [
    "--preserve-entire-environment",
    "declare variables with EnvVarRequirement, in the document or in the job (cwl:requirements)",
  ],
  ["--custom-net <name>", "ask for the network with NetworkAccess"],
  ["--overrides <file>", "put requirements into the job (cwl:requirements)"],
  ["--force-docker-pull", "images are pinned by digest once a run, so that a tag that moved is noticed"],
  ["--disable-pull", "images that are here are used when their registry cannot be reached"],
  ["--mpi-config-file <file>", "MPIRequirement is not supported"],
  ["--beta-conda-dependencies", "name an image with DockerRequirement"],
  ["--beta-dependency-resolvers-configuration <file>", "name an image with DockerRequirement"],
  ["--beta-dependencies-directory <folder>", "name an image with DockerRequirement"],
  ["--beta-use-biocontainers", "name an image with DockerRequirement"],
];

export const cwltoolFlags: readonly OptionSpec[] = [
  ...accepted.map(([flags, description]): OptionSpec => ({ flags, description, legacy: "cwltool" })),
  ...elsewhere.map(
    ([flags, instead]): OptionSpec => ({ flags, description: `refused: ${instead}`, legacy: "cwltool" }),
  ),
];

/** @throws AppError CLI_USAGE for a flag whose work something else does */
export function refuseElsewhere(given: Given): void {
  for (const [flags, instead] of elsewhere) {
    const [flag = ""] = flags.split(" ");
    const name = flag.slice(2);
    if (given.is(name) || given.text(name) !== undefined)
      throw new AppError("CLI_USAGE", `memoir cwl-runner: ${flag} is a flag of cwltool; ${instead}`);
  }
}
