/** One call: reused from what or computed because of what, what it wrote, and where its files came from and went. */
import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { bytesText, durationText, shortKey } from "../format.ts";
import { useStream } from "../live.ts";
import { href } from "../location.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Differences } from "../parts/difference.tsx";
import { JsonTree } from "../parts/json-tree.tsx";
import { OutputText } from "../parts/output-text.tsx";
import {
  Empty,
  Facts,
  Loading,
  PageProblem,
  Panel,
  ProblemNote,
  StateBadge,
  useNow,
  When,
} from "../parts/small.tsx";
import type { Call as CallRow, Explanation } from "../shapes.ts";
import { useAnswer } from "../use-answer.ts";
import { EntryActions } from "./call-actions.tsx";

type CallAnswer = Answer<"CallDetail">;

export function Call({ run, call }: { readonly run: string; readonly call: string }): VNode {
  const asked = useAnswer<CallAnswer>(apiPath(["runs", run, "call"], { call }));
  const { data, problem, again } = asked;
  const now = useNow();
  const isOpen = data?.call.state === "running" || data?.call.state === "waiting";
  useStream(
    isOpen ? apiPath(["runs", run, "calls"]) : undefined,
    ["calls"],
    (events) => {
      const rows = events.flatMap((event) => event["calls"] as readonly CallRow[]);
      if (rows.some((row) => row.call === call && row.state !== data?.call.state)) again();
    },
    again,
  );
  if (problem !== undefined && data === undefined)
    return <PageProblem title="Call" problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the call" />;
  const { call: row, components, attempts, inputs, outputs } = data;
  const explanation = data.explanation as Explanation | undefined;
  return (
    <>
      <div>
        <p class="crumbs">
          <a href="/runs">Runs</a> / <a href={href("runs", run)}>{run}</a> / {row.task}
        </p>
        <div class="title">
          <h1>{row.call}</h1>
          <StateBadge state={row.state} />
          {data.entry === undefined ? null : <EntryActions run={run} entry={data.entry} onChanged={again} />}
        </div>
      </div>
      {row.failure === undefined ? null : (
        <div class="note tone-bad" role="alert">
          <p>
            <strong>{row.failure.message}</strong>
          </p>
          <p>
            After {row.failure.attempts} {row.failure.attempts === 1 ? "attempt" : "attempts"}
            {row.failure.exitCode === undefined ? "" : `, exit code ${row.failure.exitCode}`}.
          </p>
        </div>
      )}
      <div class="grid">
        <Panel title={row.state === "reused" ? "Why it was reused" : "Why it was computed"}>
          <Reason row={row} explanation={explanation} />
        </Panel>
        <Panel title="Facts">
          <Facts
            rows={[
              ["Asked for", <When key="asked" at={row.askedAt} now={now} />],
              timeOf(row),
              ["Attempts", String(row.attempts)],
              row.usage === undefined || row.usage.cpuSeconds === null
                ? undefined
                : ["CPU time", durationText(row.usage.cpuSeconds)],
              row.usage === undefined || row.usage.maxRssBytes === null
                ? undefined
                : ["Most memory", bytesText(row.usage.maxRssBytes)],
              row.savedSeconds === undefined ? undefined : ["Saved", durationText(row.savedSeconds)],
              row.image === undefined ? undefined : ["Image", <code key="image">{row.image}</code>],
              row.key === undefined
                ? undefined
                : [
                    "Key",
                    <code key="key" title={row.key}>
                      {shortKey(row.key)}
                    </code>,
                  ],
              row.entry === undefined ? undefined : ["Entry", <code key="entry">{row.entry}</code>],
            ]}
          />
        </Panel>
      </div>
      {explanation === undefined || explanation.differences.length === 0 ? null : (
        <Panel
          title="What differs from the nearest recorded result"
          aside={
            explanation.nearest === undefined ? undefined : (
              <>
                {explanation.nearest.call} of <RunLink run={explanation.nearest.run} />
              </>
            )
          }
        >
          <Differences differences={explanation.differences} />
        </Panel>
      )}
      <Output run={run} call={call} isOpen={isOpen} isReused={data.call.state === "reused"} />
      {inputs.length === 0 ? null : (
        <Files
          title="Files that went in"
          other="Made by"
          rows={inputs.map(({ place, identity, from }) => ({
            ...{ name: place, place: identity },
            other: <CallLinks run={run} calls={from} none="not a call of this run" />,
          }))}
        />
      )}
      {outputs.length === 0 ? null : (
        <Files
          title="Files that came out"
          other="Used by"
          rows={outputs.map(({ output, path, bytes, sha256, usedBy }) => ({
            ...{ name: output, place: path, bytes, digest: sha256 },
            other: <CallLinks run={run} calls={usedBy} none="no call of this run" />,
          }))}
        />
      )}
      {attempts.length === 0 ? null : (
        <Panel title="Attempts">
          <DataTable
            rows={attempts}
            keyOf={({ attempt }) => String(attempt)}
            columns={[
              { title: "Attempt", isNumber: true, cell: ({ attempt }) => attempt },
              { title: "Started", cell: ({ startedAt }) => <When at={startedAt} now={now} /> },
              {
                title: "Took",
                cell: ({ startedAt, endedAt }) =>
                  endedAt === undefined ? "–" : durationText((endedAt - startedAt) / 1000),
              },
              { title: "Executor", cell: ({ executor }) => executor ?? "the run's" },
              {
                title: "Ended with",
                cell: ({ failure }) => (failure as { readonly message?: string } | undefined)?.message ?? "–",
              },
              { title: "Image", cell: ({ image }) => (image === undefined ? "–" : <code>{image}</code>) },
            ]}
          />
        </Panel>
      )}
      {components === undefined ? null : (
        <Panel title="What decided the key">
          <JsonTree value={components} />
        </Panel>
      )}
    </>
  );
}

function timeOf({ startedAt, endedAt }: CallRow): readonly [string, string] | undefined {
  return startedAt === undefined || endedAt === undefined
    ? undefined
    : ["Took", durationText((endedAt - startedAt) / 1000)];
}

/** Runs of a page are linked; whether one still exists its own page says. */
function RunLink({ run }: { readonly run: string }): VNode {
  return <a href={href("runs", run)}>{run}</a>;
}

function Reason(props: { readonly row: CallRow; readonly explanation: Explanation | undefined }): VNode {
  const { row, explanation } = props;
  if (row.state === "reused")
    return (
      <p>
        An equal call was recorded{" "}
        {row.fromRun === undefined ? (
          "by a run that is not known here"
        ) : (
          <>
            by <RunLink run={row.fromRun} />
          </>
        )}
        , so its result was used.
      </p>
    );
  if (explanation !== undefined) return <p>{explanation.words}</p>;
  if (row.missed !== undefined) return <p>{row.missed}</p>;
  return <Empty>Nothing is known yet.</Empty>;
}

type Stream = Answer<"RunLogs">["calls"][number];

function Output(props: {
  readonly run: string;
  readonly call: string;
  readonly isOpen: boolean;
  readonly isReused: boolean;
}): VNode {
  const { run, call, isOpen, isReused } = props;
  const { data, problem, again } = useAnswer<Answer<"RunLogs">>(apiPath(["runs", run, "logs"], { call }));
  const log: Stream | undefined = data?.calls.find((each) => each.call === call) ?? data?.calls[0];
  return (
    <Panel title="Command and output">
      {problem === undefined || isOpen ? null : <ProblemNote problem={problem} again={again} />}
      {data === undefined || isOpen || hasText(log) ? null : (
        <p class="quiet">
          {isReused
            ? "Nothing ran here: the run that recorded the result has its command and output."
            : "Nothing was kept of the command and its output."}
        </p>
      )}
      {log?.command === undefined ? null : (
        <>
          <h3>Command</h3>
          <OutputText label="Command" text={log.command} />
        </>
      )}
      {isOpen ? (
        <>
          <LiveText title="Standard output" run={run} call={call} stream="stdout" />
          <LiveText title="Standard error" run={run} call={call} stream="stderr" />
        </>
      ) : (
        <>
          <Written title="Standard output" text={log?.stdout} />
          <Written title="Standard error" text={log?.stderr} />
          <Written title="Log" text={log?.log} />
        </>
      )}
      {log?.exitCode === undefined ? null : <p class="quiet">Exit code {log.exitCode}</p>}
    </Panel>
  );
}

function hasText(log: Stream | undefined): boolean {
  return [log?.command, log?.stdout, log?.stderr, log?.log].some((text) => text !== undefined);
}

function Written({
  title,
  text,
}: {
  readonly title: string;
  readonly text: string | undefined;
}): VNode | null {
  if (text === undefined) return null;
  return (
    <>
      <h3>{title}</h3>
      <OutputText label={title} text={text} />
    </>
  );
}

/** Only the end is kept: a task may write for days. */
const mostKept = 400_000;

function LiveText(props: {
  readonly title: string;
  readonly run: string;
  readonly call: string;
  readonly stream: "stdout" | "stderr";
}): VNode {
  const { title, run, call, stream } = props;
  const [text, setText] = useState("");
  useStream(apiPath(["runs", run, "output"], { call, stream }), ["text"], (events) => {
    const added = events.map((event) => String(event["text"])).join("");
    setText((before) => (before + added).slice(-mostKept));
  });
  return (
    <>
      <h3>{title}</h3>
      <OutputText label={title} text={text} follows />
    </>
  );
}

function Files(props: {
  readonly title: string;
  readonly other: string;
  readonly rows: readonly {
    readonly name: string;
    readonly place: string;
    readonly bytes?: number;
    readonly digest?: string;
    readonly other: ComponentChildren;
  }[];
}): VNode {
  return (
    <Panel title={props.title}>
      <DataTable
        rows={props.rows}
        keyOf={({ name, place }) => `${name} ${place}`}
        columns={[
          { title: "Name", cell: ({ name }) => name },
          { title: "File", cell: ({ place }) => <code>{place}</code> },
          {
            title: "Size",
            isNumber: true,
            cell: ({ bytes }) => (bytes === undefined ? "–" : bytesText(bytes)),
          },
          {
            title: "Checksum",
            cell: ({ digest }) =>
              digest === undefined ? "–" : <code title={digest}>{shortKey(digest)}</code>,
          },
          { title: props.other, cell: ({ other }) => other },
        ]}
      />
    </Panel>
  );
}

const mostLinks = 10;

function CallLinks(props: {
  readonly run: string;
  readonly calls: readonly string[];
  readonly none: string;
}): VNode {
  const { run, calls, none } = props;
  if (calls.length === 0) return <span class="quiet">{none}</span>;
  return (
    <>
      {calls.slice(0, mostLinks).map((call) => (
        <div key={call}>
          <a href={href("runs", run, "calls", call)}>{call}</a>
        </div>
      ))}
      {calls.length > mostLinks ? <div class="quiet">and {calls.length - mostLinks} more</div> : null}
    </>
  );
}
