/** What a run made: its values, its files, and a look at each. */
import type { VNode } from "preact";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath } from "../../client.ts";
import { absoluteText, bytesText } from "../../format.ts";
import { href, type Place } from "../../location.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { OutputText } from "../../parts/output-text.tsx";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/small.tsx";
import type { Session } from "../../session.ts";
import { useAnswer } from "../../use-answer.ts";

export function Outputs({ run, place }: { readonly run: string; readonly place: Place }): VNode {
  const { data, problem, again } = useAnswer<Answer<"RunOutputs">>(apiPath(["runs", run, "outputs"]));
  const path = place.query.get("file") ?? "";
  const folder = place.query.get("folder") ?? "";
  if (problem?.code === "RUN_WITHOUT_OUTPUTS" || problem?.code === "RUN_NOT_SUCCEEDED")
    return (
      <Panel title="Outputs">
        <Empty>{problem.detail}</Empty>
      </Panel>
    );
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="outputs" />;
  return (
    <>
      {"location" in data ? (
        <Panel title="Outputs">
          <p>The outputs of this run are in the location that its request named:</p>
          <code>{data.location}</code>
        </Panel>
      ) : (
        <Panel title="Values">
          <JsonTree value={data.outputs} />
        </Panel>
      )}
      <Files run={run} folder={folder} />
      <Provenance run={run} />
      {path === "" ? null : <Preview run={run} path={path} />}
    </>
  );
}

/** What the server answers to operators only: it says where files of its machine are. */
function Provenance({ run }: { readonly run: string }): VNode | null {
  const session = useAnswer<Session>(apiPath(["session"])).data;
  if (session?.operator !== true) return null;
  return (
    <Panel title="Provenance">
      <ul>
        <li>
          <a href={apiPath(["runs", run, "crate"])} download>
            Workflow Run RO-Crate with the outputs
          </a>{" "}
          (ZIP)
        </li>
        <li>
          <a href={apiPath(["runs", run, "crate"], { files: "none" })} download>
            RO-Crate without files
          </a>{" "}
          (ZIP)
        </li>
        <li>
          <a href={apiPath(["runs", run, "provenance"])} download={`${run}.provenance.json`}>
            Calls and files as a graph
          </a>{" "}
          (JSON)
        </li>
        <li>
          <a href="/trace">Where a file came from…</a>
        </li>
      </ul>
    </Panel>
  );
}

function viewHref(run: string, folder: string, file?: string): string {
  const words = new URLSearchParams({ tab: "outputs" });
  if (folder !== "") words.set("folder", folder);
  if (file !== undefined) words.set("file", file);
  return `${href("runs", run)}?${words}`;
}

function Files({ run, folder }: { readonly run: string; readonly folder: string }): VNode | null {
  const { data, problem } = useAnswer<Answer<"FileTree">>(apiPath(["runs", run, "files"], { path: folder }));
  // Runs without a folder here have their outputs elsewhere.
  if (problem !== undefined) return problem.status === 404 ? null : <ProblemNote problem={problem} />;
  if (data === undefined) return <Loading what="files" />;
  const parents = folder.split("/").filter((name) => name !== "");
  return (
    <Panel
      title="Files"
      aside={
        <nav aria-label="Folder">
          <a href={viewHref(run, "")}>out</a>
          {parents.map((name, at) => (
            <span key={parents.slice(0, at + 1).join("/")}>
              {" / "}
              <a href={viewHref(run, parents.slice(0, at + 1).join("/"))}>{name}</a>
            </span>
          ))}
        </nav>
      }
    >
      {data.members.length === 0 ? (
        <Empty>This folder is empty.</Empty>
      ) : (
        <DataTable
          rows={data.members}
          most={10_000}
          keyOf={({ path }) => path}
          columns={[
            {
              title: "Name",
              cell: ({ name, path, kind }) => (
                <a href={kind === "folder" ? viewHref(run, path) : viewHref(run, folder, path)}>
                  <span aria-hidden="true">{kind === "folder" ? "▸ " : ""}</span>
                  {name}
                </a>
              ),
            },
            {
              title: "Size",
              isNumber: true,
              cell: ({ bytes }) => (bytes === undefined ? "" : bytesText(bytes)),
            },
            {
              title: "Changed",
              cell: ({ modifiedAt }) => (
                <span class="quiet">
                  {modifiedAt === undefined ? "" : absoluteText(Date.parse(modifiedAt))}
                </span>
              ),
            },
            {
              title: <span class="sr">Download</span>,
              cell: ({ name, path, kind }) =>
                kind === "file" ? (
                  <a href={apiPath(["runs", run, "file"], { path })} download aria-label={`Download ${name}`}>
                    Download
                  </a>
                ) : null,
            },
          ]}
        />
      )}
    </Panel>
  );
}

type PreviewAnswer = Answer<"FilePreview">;

function Preview({ run, path }: { readonly run: string; readonly path: string }): VNode {
  const { data, problem } = useAnswer<PreviewAnswer>(apiPath(["runs", run, "preview"], { path }));
  if (problem !== undefined) return <ProblemNote problem={problem} />;
  if (data === undefined) return <Loading what="the file" />;
  return (
    <Panel
      title={path}
      aside={
        <>
          {bytesText(data.bytes)}
          {data.truncated === true ? ", the beginning of it" : ""} ·{" "}
          <a href={apiPath(["runs", run, "file"], { path })} download>
            Download
          </a>
        </>
      }
    >
      <Shown run={run} file={data} />
    </Panel>
  );
}

function Shown({ run, file }: { readonly run: string; readonly file: PreviewAnswer }): VNode {
  const { kind, path, rows, text } = file;
  const raw = apiPath(["runs", run, "raw"], { path });
  if (kind === "image") return <img class="preview" src={raw} alt={`Content of ${path}`} />;
  // Another origin without scripts: what a task wrote can reach nothing of this page.
  if (kind === "html") return <iframe sandbox="" src={raw} title={`Content of ${path}`} />;
  if (kind === "json" && text !== undefined && file.truncated !== true) {
    const value = parsed(text);
    if (value !== undefined) return <JsonTree value={value.parsed} />;
  }
  if (kind === "table" && rows !== undefined) {
    const [head = [], ...others] = rows;
    return (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              {head.map((name, at) => (
                <th key={`${at} ${name}`}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {others.map((row, number) => (
              <tr key={`${number}`}>
                {row.map((value, at) => (
                  <td key={`${at}`}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  if (text !== undefined) return <OutputText label={`Content of ${path}`} text={text} />;
  return <Empty>This kind of file cannot be shown here; download it.</Empty>;
}

function parsed(text: string): { readonly parsed: unknown } | undefined {
  try {
    return { parsed: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
