/**
 * Folders that scripts know by names of another machine: `/mnt/workflow/pubdir` of AWS HealthOmics.
 * Scripts and the host each name files; both are led to the folder that stands for the name.
 */
import type { FileValue, Value as NeutralValue, TaskCall } from "../../../task/index.ts";
import type { FileAccess, Host } from "../../core/index.ts";
import type { ScriptFiles } from "../values/files.ts";
import { cleaned } from "../values/path.ts";

export class NamedPlaces {
  readonly #places: readonly (readonly [name: string, folder: string])[];

  constructor(places: Readonly<Record<string, string>> = {}) {
    this.#places = Object.entries(places);
  }

  get folders(): readonly string[] {
    return this.#places.map(([, folder]) => folder);
  }

  /** Where a path is on this machine. */
  at(path: string): string {
    return this.#led(path, ([name, folder]) => [name, folder]);
  }

  /** As scripts know it. */
  named(path: string): string {
    return this.#led(path, ([name, folder]) => [folder, name]);
  }

  #led(path: string, way: (place: readonly [string, string]) => readonly [from: string, to: string]): string {
    if (!path.startsWith("/")) return path;
    const tidy = cleaned(path);
    for (const place of this.#places) {
      const [from, to] = way(place);
      if (tidy === from || tidy.startsWith(`${from}/`)) return to + tidy.slice(from.length);
    }
    return path;
  }

  files(files: ScriptFiles): ScriptFiles {
    if (this.#places.length === 0) return files;
    const at = (path: string) => this.at(path);
    return {
      launchDir: files.launchDir,
      admit: (path) => files.admit(at(path)),
      lend: (folder) => files.lend(at(folder)),
      stat: (path) => files.stat(at(path)),
      isLink: (path) => files.isLink(at(path)),
      list: (path) => files.list(at(path)),
      readBytes: (path, most) => files.readBytes(at(path), most),
      write: (path, content, how) => files.write(at(path), content, how),
      makeFolders: (path) => files.makeFolders(at(path)),
      remove: (path) => files.remove(at(path)),
      copy: (from, to) => files.copy(at(from), at(to)),
      move: (from, to) => files.move(at(from), at(to)),
      link: (target, place, how) => files.link(at(target), at(place), how),
      realPath: (path) => this.named(files.realPath(at(path))),
    };
  }

  host(host: Host): Host {
    if (this.#places.length === 0) return host;
    return {
      ...host,
      call: (task, collect, ask, options) => host.call(this.#task(task), collect, ask, options),
      pathOf: (name, inputs, ask) => host.pathOf(name, this.#value(inputs), ask),
      publish: async (file, order, ask) => {
        const target = this.at(order.target);
        const isNamed = target !== order.target;
        // A link would lead to what stays on this machine.
        const { linkText: _, ...copied } = order;
        const led = isNamed ? { ...copied, target, mode: "copy" as const } : order;
        const published = await host.publish(this.#file(file), led, ask);
        return { ...published, target: this.named(published.target) };
      },
      files: this.#access(host.files),
    };
  }

  #access(files: FileAccess): FileAccess {
    const at = (path: string) => this.at(path);
    const { hostPath, keeps } = files;
    return {
      scratch: files.scratch,
      stat: (path, ask) => files.stat(at(path), ask),
      readText: (path, ask) => files.readText(at(path), ask),
      ...(hostPath !== undefined && { hostPath: (path, ask) => hostPath.call(files, at(path), ask) }),
      list: (path, ask) => files.list(at(path), ask),
      read: (path, ask, range) => files.read(at(path), ask, range),
      glob: (folder, pattern, options, ask) => files.glob(at(folder), pattern, options, ask),
      copy: (path, target, ask) => files.copy(at(path), at(target), ask),
      writeTo: (target, content, ask) => files.writeTo(at(target), content, ask),
      makeFolder: (target, ask) => files.makeFolder(at(target), ask),
      write: (name, content, ask) => files.write(name, content, ask),
      ...(keeps !== undefined && { keeps: (path) => keeps.call(files, at(path)) }),
    };
  }

  #task(task: TaskCall): TaskCall {
    return { ...task, inputs: task.inputs.map((each) => ({ ...each, source: this.#file(each.source) })) };
  }

  #file(file: FileValue): FileValue {
    return {
      ...file,
      location: this.at(file.location),
      ...(file.siblings !== undefined && { siblings: file.siblings.map((each) => this.#file(each)) }),
    };
  }

  #value(value: NeutralValue): NeutralValue {
    if (isList(value)) return value.map((each) => this.#value(each));
    if (typeof value !== "object" || value === null) return value;
    if (value.kind !== "record") return this.#file(value);
    return { ...value, entries: value.entries.map(([key, each]) => [key, this.#value(each)] as const) };
  }
}

function isList(value: NeutralValue): value is readonly NeutralValue[] {
  return Array.isArray(value);
}
