/** Running a workflow again: with the same inputs, or with some of them changed in a form. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../../client.ts";
import { go, href } from "../../location.ts";
import { Command, Loading, Panel, ProblemNote } from "../../parts/small.tsx";
import { useAnswer } from "../../use-answer.ts";

type Form = Answer<"RunForm">;

export function Again({ run }: { readonly run: string }): VNode {
  const { data, problem, again } = useAnswer<Form>(apiPath(["runs", run, "form"]));
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isStarting, setIsStarting] = useState(false);
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the parameters of the workflow" />;
  if (!data.canRun) {
    const [before = "", command] = (data.why ?? "").split(/: (?=aws )/);
    return (
      <Panel title="Run again">
        <p>{command === undefined ? data.why : `${before}:`}</p>
        {command === undefined ? null : <Command text={command} />}
      </Panel>
    );
  }
  const start = async (inputs?: string) => {
    setTrouble(undefined);
    setIsStarting(true);
    try {
      const body = inputs === undefined ? {} : { inputs };
      const { run: begun } = await ask<Answer<"RunBegun">>(apiPath(["runs", run, "again"]), {
        ...{ method: "POST", body },
      });
      go(href("runs", begun));
    } catch (error) {
      setTrouble(problemOf(error));
    } finally {
      setIsStarting(false);
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    try {
      void start(inputsText(data.parameters, fields));
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  return (
    <>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      <Panel title="With the same inputs">
        <p>
          Runs the workflow as it was run, with the same options. What is recorded is reused, and only what
          has changed is computed.
        </p>
        <button type="button" class="primary" disabled={isStarting} onClick={() => void start()}>
          {isStarting ? "Starting…" : "Run again"}
        </button>
      </Panel>
      <Panel title="With other inputs">
        {data.why === undefined ? null : <p class="note tone-bad">{data.why}</p>}
        {data.parameters.length === 0 ? (
          <p class="quiet">This workflow has no parameters that are known here.</p>
        ) : (
          <form class="form" onSubmit={submit}>
            {data.parameters.map((parameter) => (
              <Field key={parameter.name} parameter={parameter} />
            ))}
            <div>
              <button type="submit" disabled={isStarting}>
                Run with these inputs
              </button>
            </div>
          </form>
        )}
      </Panel>
    </>
  );
}

type Parameter = Form["parameters"][number];

/** A text is shown without its quotes; everything else is JSON. */
function Field({ parameter }: { readonly parameter: Parameter }): VNode {
  const { name, type, required, description, defaultText, value } = parameter;
  const shown = value === undefined ? "" : textIn(value);
  const hint = [
    type,
    required ? "" : defaultText === undefined ? "optional" : `default ${defaultText}`,
    description ?? "",
  ]
    .filter((part) => part !== "")
    .join(" · ");
  const isLong = shown.length > 60 || shown.includes("\n");
  const id = `input-${name}`;
  const given = { id, name, defaultValue: shown, required, spellcheck: false } as const;
  return (
    <div class="field">
      <p>
        <label for={id}>{name}</label> <span class="quiet">{hint}</span>
      </p>
      {isLong ? <textarea rows={4} {...given} /> : <input {...given} />}
    </div>
  );
}

function textIn(json: string): string {
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : json;
}

const isOfText = /^(String|File|Directory|string|Path|path|URI)\b[^[\]{}]*$/;

/** Numbers are passed on as they were typed: a script's number has fewer digits than a workflow's. */
function inputsText(parameters: readonly Parameter[], fields: FormData): string {
  const members = parameters.flatMap(({ name, type, value }) => {
    const text = String(fields.get(name) ?? "");
    if (text === "" && value !== '""') return [];
    // What was not touched stays as it was.
    const json = value !== undefined && textIn(value) === text ? value : jsonOf(name, type, text);
    return [`${JSON.stringify(name)}: ${json}`];
  });
  return `{ ${members.join(", ")} }`;
}

function jsonOf(name: string, type: string, text: string): string {
  if (isOfText.test(type)) return JSON.stringify(text);
  try {
    JSON.parse(text);
    return text;
  } catch {
    if (/^[[{"]/.test(text.trim())) throw new Error(`${name}: this is not JSON: ${text.slice(0, 100)}`);
    return JSON.stringify(text);
  }
}
