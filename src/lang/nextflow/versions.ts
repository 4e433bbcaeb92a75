/**
 * Which Nextflow a run follows, and the one table of everything that pipelines meet in which the releases differ. What a
 * later release only adds is refused by the earlier ones where a pipeline would not have run there; 25.10 also accepts
 * what 26.04 adds.
 */
import { AppError } from "../../kernel/index.ts";
import type { OfferedVersions } from "../core/index.ts";
import { compareVersions, versionMatches } from "./values/version-number.ts";

export const releases = ["23.10", "24.10", "25.10", "26.04"] as const;

export type Release = (typeof releases)[number];

/** What a run follows that asks for nothing else. */
export const defaultVersion = "25.10.4";

/** The last number of the latest version of a release. */
const latest: Readonly<Record<Release, number>> = { "23.10": 4, "24.10": 9, "25.10": 7, "26.04": 6 };

type Row<Value> = Readonly<Record<Release, Value>>;

function row<Value>(...values: readonly [Value, Value, Value, Value]): Row<Value> {
  const [a, b, c, d] = values;
  return { "23.10": a, "24.10": b, "25.10": c, "26.04": d };
}

export const differences = {
  /** Only the strict syntax: no loops, classes, imports, or statements next to declarations. `NXF_SYNTAX_PARSER`. */
  strictSyntax: row(false, false, false, true),
  /** `NXF_SYNTAX_PARSER` chooses the parser. */
  choosesParser: row(false, false, true, true),
  /** `--x 3` is a number and `--x true` a truth value, whatever the default of the parameter is. Older parser. */
  detectsTypes: row(true, true, true, false),
  /** Names of environment variables are variables of scripts and configuration. Older parser. */
  bareEnvironment: row(true, true, true, false),
  /**
   * In which order the chosen profiles of a configuration file apply: in that of the file after everything else in it, or
   * where they are written.
   */
  profileOrder: row<"of the file" | "of the command line">(
    "of the file",
    "of the file",
    "of the file",
    "of the command line",
  ),
  /** A file that `publishDir` cannot publish fails the run, unless `failOnError` says otherwise. */
  publishFailOnError: row(false, true, true, true),
  /** `NXF_PUBLISH_FAIL_ON_ERROR` is the default of `failOnError`. */
  publishVariable: row(false, true, true, true),
  /** `publishDir overwrite: 'standard'`, `'lenient'` and `'deep'` compare files. Before, they mean false. */
  comparesPublished: row(false, true, true, true),
  /** `publish:` and `output { }`; the preview has `channel >> 'target'` and needs `nextflow.preview.output`. */
  workflowOutputs: row<"none" | "preview" | "final">("none", "preview", "final", "final"),
  /** `topic:` and `channel.topic`; the preview needs `nextflow.preview.topic`. */
  topics: row<"none" | "preview" | "final">("none", "preview", "final", "final"),
  /** `eval` outputs. */
  evalOutputs: row(false, true, true, true),
  /** The directive `resourceLimits`. */
  resourceLimits: row(false, true, true, true),
  /** Output variables (`env`) keep their line breaks. Before, all white space becomes single blanks. */
  envKeepsLines: row(false, true, true, true),
  /** `task.previousTrace` and `task.previousException`. */
  previousTrace: row(false, true, true, true),
  /** `workflow.failOnIgnore` fails a run in which failures were ignored. */
  failOnIgnore: row(false, true, true, true),
  /** The block `params { name: Type = value }`. */
  parameterBlock: row(false, false, true, true),
  /** `onComplete:` and `onError:` in the entry workflow. */
  handlerSections: row(false, false, true, true),
  /** The outputs of the entry workflow are shown at the end of a run, as text or JSON. */
  showsOutputs: row(false, false, true, true),
  /** A script with one process and no workflow runs it, with parameters as inputs. */
  runsSingleProcess: row(false, false, true, true),
  /** Named workflows without an entry: 23.10 warns and runs nothing, later ones fail. */
  needsEntry: row(false, true, true, true),
  /** Inputs and outputs with types, and records. */
  typedProcesses: row(false, false, true, true),
} as const;

export type Rules = { readonly [Name in keyof typeof differences]: (typeof differences)[Name][Release] };

/** Rows that follow the parser, and the release whose column they have with it. */
const byParser = ["strictSyntax", "detectsTypes", "bareEnvironment", "profileOrder"] as const;

export interface Language {
  /** Whole: `25.10.4`. */
  readonly version: string;
  readonly release: Release;
  readonly rules: Rules;
  /** What the user should know of the choice. */
  readonly warnings: readonly string[];
}

export interface LanguageRequest {
  /** Wins over everything else. */
  readonly asked?: string;
  /** `NXF_VER`, `NXF_SYNTAX_PARSER` */
  readonly environment?: Readonly<Record<string, string>>;
  /** `manifest.nextflowVersion` */
  readonly required?: string;
  /** Default: all that there are, the nearest to the usual one. */
  readonly offered?: OfferedVersions;
  /** Wins over `NXF_SYNTAX_PARSER`. */
  readonly parser?: "v1" | "v2";
}

/** @throws AppError CLI_USAGE for what is not a version */
export function languageOf({
  asked,
  environment = {},
  required,
  offered,
  ...chosen
}: LanguageRequest): Language {
  const parser = chosen.parser ?? environment["NXF_SYNTAX_PARSER"];
  const wanted = asked ?? environment["NXF_VER"];
  if (wanted !== undefined && wanted !== "")
    return language(wanted, parser, asked === undefined ? "NXF_VER" : "the version of the engine");
  if (offered !== undefined) return offeredLanguage(required, offered, parser);
  if (required !== undefined) {
    const found = versionFor(required);
    if (found !== undefined) return language(found, parser, "manifest.nextflowVersion");
  }
  return language(defaultVersion, parser, "");
}

/** A requirement that no version meets fails a run that begins with `!`, where its configuration is evaluated. */
function offeredLanguage(
  required: string | undefined,
  { all, otherwise }: OfferedVersions,
  parser: string | undefined,
): Language {
  const condition = (required ?? "").replace(/^\s*!/, "").trim();
  const found = all.find((each) => condition === "" || versionMatches(each, condition) === "yes");
  const chosen = language(found ?? otherwise, parser, "manifest.nextflowVersion");
  if (found !== undefined) return chosen;
  return {
    ...chosen,
    warnings: [
      `manifest.nextflowVersion asks for ${required}, which is none of ${all.join(", ")}; this run follows ${otherwise}`,
    ],
  };
}

function language(wanted: string, parser: string | undefined, from: string): Language {
  if (!/^v?\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?$/.test(wanted))
    throw new AppError(
      "CLI_USAGE",
      `reading ${from}: ${wanted} is not a version of Nextflow; there are ${releases.join(", ")}`,
    );
  const named = wanted.replace(/^v/, "");
  const known = releases.find((each) => named === each || named.startsWith(`${each}.`));
  const release =
    known ?? releases.find((each) => compareVersions(named, each) <= 0) ?? releases[releases.length - 1];
  const chosen = release ?? "26.04";
  const version =
    known === undefined || named === known
      ? chosen === "25.10"
        ? defaultVersion
        : `${chosen}.${latest[chosen]}`
      : named;
  const warnings =
    known === undefined
      ? [`${from} names Nextflow ${named}; this run follows ${version}, the nearest that Memoir offers`]
      : [];
  return { version, release: chosen, rules: rulesOf(chosen, parser), warnings };
}

export function rulesOf(release: Release, parser?: string): Rules {
  const names = Object.keys(differences) as (keyof Rules)[];
  const chosen = differences.choosesParser[release] && (parser === "v1" || parser === "v2");
  const column = (name: keyof Rules): Release => {
    if (!chosen || !(byParser as readonly string[]).includes(name)) return release;
    return parser === "v1" ? "25.10" : "26.04";
  };
  return Object.fromEntries(names.map((name) => [name, differences[name][column(name)]])) as Rules;
}

/** The default where it fits, else the nearest later, else the nearest earlier version that does. */
function versionFor(condition: string): string | undefined {
  const wanted = condition.replace(/^\s*!/, "").trim();
  const all = releases.flatMap((each) =>
    Array.from({ length: latest[each] + 1 }, (_, patch) => `${each}.${patch}`),
  );
  const later = all.filter((each) => compareVersions(each, defaultVersion) > 0);
  const earlier = all.filter((each) => compareVersions(each, defaultVersion) < 0).reverse();
  const fits = (version: string) => versionMatches(version, wanted) === "yes";
  const found = [defaultVersion, ...later, ...earlier].find(fits);
  if (found !== undefined) return found;
  // A version that is not offered stands for those that are near it.
  return /^\d+\.\d+(?:\.\d+)?$/.test(wanted) ? wanted : undefined;
}
