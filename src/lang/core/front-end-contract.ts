/** The contract suite that every front end passes: run it in the test of a new front end before writing its code. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ask, freshAsk, renderDiagnostic } from "../../kernel/index.ts";
import type { CallOutcome, Outputs, TaskCall } from "../../task/index.ts";
import type { FileAccess } from "./file-access.ts";
import type { FrontEndKind, Loaded, ParameterValues, Program } from "./front-end.ts";
import type { Host } from "./host.ts";
import { createFolderSource } from "./source-tree-folder.ts";

export interface FrontEndContract {
  readonly kind: FrontEndKind;
  /** Documents by their names, and the one to run: a workflow that calls at least one task. */
  readonly documents: Readonly<Record<string, string>>;
  readonly main: string;
  /** Inputs that it takes, without files of the machine, and inputs of which one has a wrong type. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly wrongInputs: Readonly<Record<string, unknown>>;
  /** What a task call that succeeds is answered with. */
  outputsOf(task: TaskCall): Outputs;
  /** A document with an error in its text. */
  readonly broken: string;
}

export function frontEndContract(contract: FrontEndContract): void {
  const { kind, main, broken } = contract;
  describe(`the front end of ${kind.name} keeps the contract of front ends`, () => {
    const ask = freshAsk();
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "memoir-front-end-"));
      const documents = { ...contract.documents, [`broken-${main}`]: broken };
      for (const [name, text] of Object.entries(documents)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    async function load(document: string): Promise<Loaded> {
      const frontEnd = await kind.create({});
      const source = createFolderSource({ folder });
      return frontEnd.load(source, source.resolve(document, undefined), { lenient: false }, ask);
    }

    async function program(): Promise<Program> {
      const { program: loaded, diagnostics } = await load(main);
      if (loaded === undefined) throw new Error(diagnostics.map(renderDiagnostic).join("\n"));
      return loaded;
    }

    const given = (values: Readonly<Record<string, unknown>>): ParameterValues => ({
      values,
      baseDir: folder,
    });

    async function run(answer: (task: TaskCall) => CallOutcome, runAsk: Ask = ask) {
      const tasks: TaskCall[] = [];
      const host = scriptedHost(folder, (task) => {
        tasks.push(task);
        return answer(task);
      });
      const result = await (await program()).run(given(contract.inputs), host, runAsk);
      return { result, tasks };
    }
    const computed = (task: TaskCall): CallOutcome => ({
      kind: "computed",
      outputs: contract.outputsOf(task),
    });

    it("has one name, and takes its own documents", async () => {
      expect((await kind.create({})).language).toBe(kind.language);
      expect(kind.language).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(kind.accepts(main)).toBe(true);
      expect(kind.accepts("notes.txt")).toBe(false);
    });

    it("reports an error in a document as a diagnostic at a place in its text, and gives no program", async () => {
      const { program: loaded, diagnostics } = await load(`broken-${main}`);
      expect(loaded).toBeUndefined();
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(errors.length).toBeGreaterThan(0);
      for (const { source, span } of errors) {
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(source.text.length);
      }
    });

    it("describes what a program takes, and finds nothing wrong with right inputs", async () => {
      const loaded = await program();
      expect(loaded.interface.name).not.toBe("");
      const names = loaded.interface.parameters.map(({ name }) => name.slice(name.lastIndexOf(".") + 1));
      for (const name of Object.keys(contract.inputs))
        expect(names).toContain(name.slice(name.lastIndexOf(".") + 1));
      expect(await loaded.checkInputs(given(contract.inputs), ask)).toEqual([]);
    });

    it("finds what is wrong with inputs before anything runs", async () => {
      const faults = await (await program()).checkInputs(given(contract.wrongInputs), ask);
      expect(faults.some(({ severity }) => severity === "error")).toBe(true);
    });

    it("asks for the same calls in every run, each under a different path", async () => {
      const [one, two] = [await run(computed), await run(computed)];
      expect(one.result.kind).toBe("succeeded");
      expect(one.tasks.length).toBeGreaterThan(0);
      const paths = one.tasks.map(({ path }) => path).sort();
      expect(new Set(paths).size).toBe(paths.length);
      expect(two.tasks.map(({ path }) => path).sort()).toEqual(paths);
      const commands = (tasks: readonly TaskCall[]) => tasks.map(({ command }) => command).sort();
      expect(commands(two.tasks)).toEqual(commands(one.tasks));
    });

    it("names nothing local to the machine in a call: keys hold its command and its paths", async () => {
      const { tasks } = await run(computed);
      for (const { command, language, frontEndVersion, env } of tasks) {
        expect(language).toBe(kind.language);
        expect(frontEndVersion).not.toBe("");
        expect(JSON.stringify([command, env])).not.toContain(folder);
      }
    });

    it("gives the outputs of a run that succeeded by the names of its interface", async () => {
      const { result } = await run(computed);
      const names = (await program()).interface.outputs.map(({ name }) => name);
      const last = (name: string) => name.slice(name.lastIndexOf(".") + 1);
      expect(Object.keys(result.outputs).map(last).sort()).toEqual(names.map(last).sort());
    });

    it("fails with the path of the call that failed", async () => {
      const failure = { kind: "exit-code", message: "exit code 3", exitCode: 3, attempts: 1 } as const;
      const { result, tasks } = await run(() => ({ kind: "failed", failure }));
      expect(result.kind).toBe("failed");
      if (result.kind !== "failed") return;
      expect(result.failures.length).toBeGreaterThan(0);
      const paths = tasks.map(({ path }) => path);
      for (const each of result.failures) {
        expect(each).toMatchObject({ kind: "task", failure });
        expect(paths).toContain(each.kind === "task" ? each.path : undefined);
      }
    });

    it("ends as cancelled when its calls were", async () => {
      const stop = new AbortController();
      const { result } = await run(
        () => {
          stop.abort();
          return { kind: "cancelled" };
        },
        { signal: stop.signal },
      );
      expect(result.kind).toBe("cancelled");
    });
  });
}

/** A host for programs that touch no files at workflow scope. */
function scriptedHost(folder: string, answer: (task: TaskCall) => CallOutcome): Host {
  const paths = new Map<string, number>();
  const refuse = (): never => {
    throw new Error("the contract's workflow reads and publishes no files at workflow scope");
  };
  return {
    call: async (task) => answer(task),
    pathOf: async (name) => {
      const count = (paths.get(name) ?? 0) + 1;
      paths.set(name, count);
      return count === 1 ? name : `${name}~${count}`;
    },
    publish: async () => refuse(),
    stop: () => {},
    files: new Proxy({ scratch: folder } as FileAccess, {
      get: (target, member) => (member === "scratch" ? target.scratch : refuse),
    }),
    emit: () => {},
    failure: "fast",
  };
}
