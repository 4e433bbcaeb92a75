/** Whether and how tasks run in containers: what the configuration says of engines, and what a task adds. */

import type { TaskPath } from "../../../kernel/index.ts";
import type { StagedInput, TaskDisk } from "../../../task/index.ts";
import { taskRoot } from "../../../task/index.ts";
import type { Outside } from "../stdlib/outside.ts";
import { readContainerOptions, type TaskContainer } from "../task/container-options.ts";
import { fileValue } from "../task/file-value.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

/** All of them run images of registries as Memoir's executors do. */
export const containerEngines = [
  "docker",
  "podman",
  "singularity",
  "apptainer",
  "charliecloud",
  "sarus",
  "shifter",
] as const;

export interface ContainersOptions {
  readonly config: GroovyMap;
  readonly outside: Outside;
  /** Tasks of others: they get no more than what every task gets. */
  readonly bounded: boolean;
  /** Tasks that name an image run in a container, whatever is switched on. Default false. */
  readonly always?: boolean;
  readonly warn: (message: string) => void;
}

export class Containers {
  readonly #options: ContainersOptions;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  /** The engine that the configuration has switched on. */
  get engine(): string | undefined {
    const found = containerEngines.find((name) => truthOf(this.#of(name, "enabled")));
    return found ?? (this.#options.always === true ? "docker" : undefined);
  }

  /** undefined: the task runs without. `always`: there are only containers where it runs. */
  taskContainer(
    container: Value,
    options: Value,
    { always }: { readonly always: boolean } = { always: false },
  ): TaskContainer | undefined {
    const engine = this.engine ?? (always ? "docker" : undefined);
    if (engine === undefined || !truthOf(container)) return undefined;
    const { outside, warn, bounded } = this.#options;
    const texts = [this.#of(engine, "runOptions"), this.#of(engine, "engineOptions"), options].filter(
      (each) => truthOf(each) && !(each instanceof GroovyMap),
    );
    const asked = readContainerOptions(texts.map(textOf).join(" "), engine);
    const refused = bounded
      ? [...asked.mounts.map(({ source, target }) => `${source}:${target}`), ...asked.passed, ...asked.others]
      : [];
    if (refused.length > 0)
      fail(
        "ProcessUnrecoverableException",
        `containerOptions are refused here: ${refused.join(" ")} -- only variables with values can be set`,
      );
    if (asked.others.length > 0) warn(`options of containers that have no effect: ${asked.others.join(" ")}`);
    const listed = bounded ? "" : textOf(this.#of(engine, "envWhitelist") ?? "");
    const names = [
      ...asked.passed,
      ...listed.split(/[\s,[\]]+/).filter((name) => name !== "" && name !== "null"),
    ];
    const mounted = asked.mounts.map((mount) => this.#mount(mount));
    return {
      image: this.#image(textOf(container), engine),
      env: asked.env,
      passedEnv: Object.fromEntries(
        names.flatMap((name) => {
          const value = outside.env(name);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      mounts: mounted.flatMap((each) => ("source" in each ? [each] : [])),
      disks: mounted.flatMap((each) => ("needed" in each ? [each] : [])),
      others: asked.others,
    };
  }

  /** A folder for temporary files is the task's own; all others are seen with their content, and cannot be changed. */
  #mount({ source, target }: { readonly source: string; readonly target: string }): StagedInput | TaskDisk {
    const { files } = this.#options.outside;
    const path = cleaned(target) as TaskPath;
    if (!path.startsWith("/") || path === "/" || path === taskRoot || path.startsWith(`${taskRoot}/`))
      fail("ProcessUnrecoverableException", `containerOptions: nothing can be mounted at ${target}`);
    const from = source.startsWith("/") ? cleaned(source) : cleaned(`${files.launchDir}/${source}`);
    if (/^(?:\/var)?\/tmp$|^\/dev\/shm$/.test(from)) return { path, needed: false };
    return { path, source: fileValue(new Path(from, files)) };
  }

  /** With the registry of the configuration, where the image names none. */
  #image(name: string, engine: string): string {
    const image = name.replace(/^docker:\/\//, "");
    if (/^(?:[a-z]+:\/\/|\/|\.\/)|\.(?:sif|img)$/.test(image))
      return fail(
        "ProcessUnrecoverableException",
        `the container ${image} is an image of Singularity, and Memoir runs images of registries only: choose one of these with the directive container`,
      );
    const registry = this.#of(engine, "registry");
    if (!truthOf(registry)) return image;
    const [first = ""] = image.split("/");
    const isComplete = image.includes("/") && (/[.:]/.test(first) || first === "localhost");
    return isComplete ? image : `${textOf(registry).replace(/\/+$/, "")}/${image}`;
  }

  #of(engine: string, name: string): Value {
    const scope = this.#options.config.at(engine);
    return scope instanceof GroovyMap ? (scope.at(name) ?? null) : null;
  }
}
