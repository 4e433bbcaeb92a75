/** memoir cite MODEL */
import type { CiteResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { hubListOption } from "../hub-options.ts";

export const command = defineCommand<CiteResult>({
  name: "cite",
  summary: "Print how to cite a model, with its publication and licence",
  details: [
    "The facts come from the metadata of the installed model, and from the hub's list as far as it was read before (`memoir catalog --hub`) or --hub-list names one.",
  ],
  arguments: [{ name: "MODEL", description: "id or slug", required: true }],
  options: [{ flags: "--bibtex", description: "print a BibTeX entry" }, hubListOption],
  examples: [{ command: "memoir cite molecular-weight" }, { command: "memoir cite eos3b5e --bibtex" }],
  act: async (given, { app, ask }) =>
    (await app()).cite(
      { model: given.argument(0) ?? "", ...defined({ place: given.text("hub-list") }) },
      ask,
    ),
  render: (cited, screen, given) => screen.out(given.is("bibtex") ? bibtex(cited) : sentences(cited)),
});

function sentences(cited: CiteResult): string {
  const { identifier, title, release, contributor, publication, publicationYear, sourceCode, license } =
    cited;
  const year = publicationYear === "" ? "" : ` (${publicationYear})`;
  return [
    `${title} (${identifier}${release === "" ? "" : `, release ${release}`}). Ersilia Model Hub.`,
    ...(publication === "" ? ["The metadata name no publication."] : [`Publication: ${publication}${year}`]),
    ...(sourceCode === "" ? [] : [`Source code: ${sourceCode}`]),
    ...(contributor === "" ? [] : [`Contributed by ${contributor}`]),
    license === ""
      ? "The metadata name no licence: ask the authors before you use it."
      : `Licence: ${license}`,
  ].join("\n");
}

function bibtex(cited: CiteResult): string {
  const fields = [
    ["title", `${cited.title} (${cited.identifier})`],
    ["howpublished", "Ersilia Model Hub"],
    ["year", cited.publicationYear],
    ["url", cited.publication === "" ? cited.sourceCode : cited.publication],
    ["version", cited.release],
    ["note", cited.license === "" ? "" : `Licence: ${cited.license}`],
  ].filter(([, value]) => value !== "");
  const lines = fields.map(([name, value = ""]) => `  ${name} = {${escaped(value)}}`);
  return `@misc{${cited.identifier},\n${lines.join(",\n")}\n}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\{}]/g, "").replaceAll(/[%&#$_]/g, (letter) => `\\${letter}`);
}
