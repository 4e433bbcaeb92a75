/** memoir fetch SOURCE */
import type { FetchResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand, type Given } from "../command.ts";
import { refusedByFetch } from "../ersilia-flags.ts";
import { sizeBytes } from "../quantities.ts";

export const command = defineCommand<FetchResult>({
  name: "fetch",
  summary: "Install a model from a folder, git, an archive, an image or a server",
  details: [
    "A model is a folder in Ersilia's layout (metadata, model/framework/run.sh, run_columns.csv). An id such as eos4e40 means Ersilia's repository of that name. The URL of a running model server is stored and used when the model runs. Models contain programs that run with your permissions: fetch only models that you trust.",
  ],
  arguments: [{ name: "SOURCE", description: "folder, git URL, .zip or .tar.gz, server URL, or Ersilia id" }],
  options: [
    { flags: "--version <tag>", description: "tag or branch of a git source", default: "its main branch" },
    {
      flags: "--image <name>",
      description:
        "image of Docker or Podman that holds the model's server, such as ersiliaos/eos4e40; it is pinned by its digest",
      conflicts: ["version", "from-dir", "from-hosted"],
    },
    {
      flags: "--memory <size>",
      description: "with --image: memory limit of the container, such as 4GB",
      default: "none",
    },
    {
      flags: "--cpus <n>",
      description: "with --image: processors of the container",
      default: "all",
      kind: "number",
    },
    {
      flags: "--from-dockerhub",
      description: "the same as --image ersiliaos/MODEL; --version names its tag",
      conflicts: ["image", "from-dir", "from-hosted"],
      legacy: true,
    },
    {
      flags: "--from-dir <folder>",
      description: "the same as naming the folder",
      aliases: ["--repo-path"],
      conflicts: ["from-hosted"],
      legacy: true,
    },
    {
      flags: "--from-hosted <url>",
      description: "the same as naming the server's URL",
      aliases: ["--hosted-url"],
      legacy: true,
    },
    { flags: "--from-github", description: "accepted; an id always means its git repository", legacy: true },
    {
      flags: "--overwrite",
      description: "accepted; fetching always replaces the installed model",
      legacy: true,
    },
    ...refusedByFetch,
  ],
  examples: [{ command: "memoir fetch eos3b5e", note: "built in, so nothing is downloaded" }],
  act: async (given, { app, ask }) =>
    (await app()).fetch(
      {
        source: sourceOf(given),
        ...imageOrVersion(given),
        ...limitsOf(given),
      },
      ask,
    ),
  render: (result, screen) => {
    const words: Readonly<Record<string, string>> = {
      nothing: "fetched",
      same: "fetched again, unchanged:",
      "other-release": "fetched, in place of another release:",
      changed: "fetched, with other files under the same release:",
      builtin: "built in, nothing to fetch:",
    };
    screen.out(
      `${screen.paint.green(words[result.replaced] ?? "fetched")} ${screen.paint.bold(result.model)} ${result.title} (${result.slug}, release ${result.release})`,
    );
    if (result.lookUpsOnly !== undefined)
      screen.say(`${screen.paint.yellow("for look-ups only:")} it cannot compute: ${result.lookUpsOnly}`);
    if (result.needs !== undefined) {
      screen.say(
        "it needs these, which Memoir does not install; activate their environment before you run it:",
      );
      for (const line of result.needs) screen.say(`  ${line}`);
    }
    if (result.replaced === "changed")
      screen.say(
        `${screen.paint.yellow("warning:")} stored predictions of release ${result.release} may be of the older files; \`memoir predictions drop ${result.model} --from local --yes\` removes them`,
      );
  },
});

function sourceOf(given: Given): string {
  const source = given.text("from-dir") ?? given.text("from-hosted") ?? given.argument(0);
  if (source !== undefined) return source;
  if (given.text("image") !== undefined) return "";
  throw new AppError("CLI_USAGE", "memoir fetch: name a folder, a git URL, an archive, a server or an id");
}

function imageOrVersion(given: Given): { readonly image?: string; readonly version?: string } {
  const version = given.text("version");
  if (!given.is("from-dockerhub")) return defined({ version, image: given.text("image") });
  const id = given.argument(0) ?? "";
  if (!/^eos[0-9][a-z0-9]{3}$/.test(id))
    throw new AppError(
      "CLI_USAGE",
      `memoir fetch: --from-dockerhub needs an id such as eos4e40, got ${id || "none"}`,
    );
  return { image: version === undefined ? `ersiliaos/${id}` : `ersiliaos/${id}:${version}` };
}

/** @throws CLI_USAGE for limits that are not limits, or that nothing would keep. */
function limitsOf(given: Given): { readonly memoryBytes?: number; readonly cpus?: number } {
  const memoryBytes = sizeBytes(given.text("memory"), "--memory");
  const text = given.text("cpus");
  const cpus = text === undefined ? undefined : Number(text);
  if (cpus !== undefined && !(cpus > 0 && cpus <= 4096))
    throw new AppError("CLI_USAGE", `memoir fetch: --cpus must be a number above 0, got ${text}`);
  if ((memoryBytes ?? cpus) !== undefined && imageOrVersion(given).image === undefined)
    throw new AppError("CLI_USAGE", "memoir fetch: --memory and --cpus go with --image");
  return defined({ memoryBytes, cpus });
}
