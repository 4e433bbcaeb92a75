/**
 * The program of a toolkit thread, as text: `new Worker(text, { eval: true })` works the same from TypeScript sources
 * and from the bundle, where a separate file would not be found. It is plain CommonJS and gets the absolute path of
 * the toolkit from the parent.
 *
 * Messages in:  { jobId, task: "molecular-weight" | "descriptors" | "canonical" | "fingerprint", inputs: string[] }
 * Messages out: { ready: version } once, then { jobId, answers }, one answer per input:
 *               { kind: "numbers", numbers } | { kind: "text", text } | { kind: "bytes", bytes } |
 *               { kind: "failed", reason }
 *
 * Traps of the WebAssembly toolkit that this text deals with:
 * - The empty string is a valid empty molecule to it, which would weigh 0. Blank inputs are refused here.
 * - Its stack is small: a chain of about 590 atoms overflows it, and from then on the instance answers nonsense or
 *   nothing. Larger molecules are refused at half that size, and an instance that has thrown is thrown away.
 * - It reads a text up to the first line break, tab or NUL, and takes what follows a blank for a title: "C\nC" would get
 *   the value of C. Such texts are refused; the one thing that may follow a blank is a CXSMILES extension, |…|.
 * - Its canonical SMILES leave the extension out, which may say what the atoms do not (mixtures of stereoisomers): a text
 *   with an extension has no canonical form.
 * - Molecules are not garbage collected: every one is deleted.
 */
export const maxAtoms = 300;

export const toolkitWorkerText = `
"use strict";
const { parentPort, workerData } = require("node:worker_threads");
const createToolkit = require(workerData.toolkitPath);
const descriptorKeys = workerData.descriptorKeys;
const quiet = { print() {}, printErr() {} };
let toolkit;
const morgan = JSON.stringify({ radius: 2, nBits: 1024 });
// The published values of eos3b5e come from an RDKit to which vanadium weighs 50.942; this one says 50.944. It is the
// only element that differs, and the same model must not have two answers.
const publishedWeights = [["[#23]", 50.942]];
let weights = new Map();

const atomSymbol = /\\[[^\\]]*\\]|Br|Cl|[BCNOPSFIbcnops*]/g;

function failed(reason) {
  return { kind: "failed", reason };
}

const controlCharacter = /[\\u0000-\\u001f\\u007f]/;
const controlNames = new Map([["\\n", "a line break"], ["\\r", "a carriage return"], ["\\t", "a tab"]]);

function answerOf(task, input) {
  const text = input.trim();
  if (text === "") return failed("the input is empty");
  const control = controlCharacter.exec(input);
  if (control !== null)
    return failed("the SMILES holds " + (controlNames.get(control[0]) ?? "a control character"));
  const blank = text.search(/\\s/);
  const structure = blank < 0 ? text : text.slice(0, blank);
  const rest = blank < 0 ? "" : text.slice(blank).trim();
  if (rest !== "" && !/^\\|.*\\|$/.test(rest))
    return failed("text follows the SMILES: " + JSON.stringify(rest.slice(0, 40)));
  if (rest !== "" && task === "canonical") return failed("a CXSMILES extension has no canonical form");
  if (input.length > ${maxAtoms}) {
    const atoms = (structure.match(atomSymbol) || []).length;
    if (atoms > ${maxAtoms})
      return failed("the molecule has " + atoms + " atoms; the built-in toolkit takes up to ${maxAtoms}");
  }
  const molecule = toolkit.get_mol(input);
  if (molecule === null) return failed("not a valid SMILES");
  try {
    if (!molecule.is_valid()) return failed("not a valid SMILES");
    if (task === "canonical") return { kind: "text", text: molecule.get_smiles() };
    if (task === "fingerprint")
      return { kind: "bytes", bytes: molecule.get_morgan_fp_as_uint8array(morgan) };
    if (task === "drawing") return { kind: "text", text: molecule.get_svg(400, 300) };
    if (task === "molecular-weight") return { kind: "numbers", numbers: [weightOf(molecule)] };
    return { kind: "numbers", numbers: descriptorsOf(molecule) };
  } finally {
    molecule.delete();
  }
}

function descriptorsOf(molecule) {
  const all = JSON.parse(molecule.get_descriptors());
  return descriptorKeys.map((key) => {
    const value = all[key];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  });
}

// The toolkit's own sum (atom by atom: its mass, then its hydrogens), six times faster than computing all
// descriptors to read one. The masses come from the toolkit (but for publishedWeights), so the last digit is the same.
function weightOf(molecule) {
  const { defaults, molecules } = JSON.parse(molecule.get_json());
  const hydrogen = massOf(1, 0);
  let sum = 0;
  for (const atom of molecules[0].atoms) {
    const mass = massOf(atom.z ?? defaults.atom.z, atom.isotope ?? defaults.atom.isotope);
    if (mass === undefined || hydrogen === undefined) return JSON.parse(molecule.get_descriptors()).amw;
    sum += mass;
    sum += (atom.impHs ?? defaults.atom.impHs) * hydrogen;
  }
  return sum;
}

function massOf(atomicNumber, isotope) {
  if (atomicNumber === 0) return 0;
  const symbol = "[" + (isotope === 0 ? "" : isotope) + "#" + atomicNumber + "]";
  if (weights.has(symbol)) return weights.get(symbol);
  const atom = toolkit.get_mol(symbol);
  const mass = atom === null ? undefined : JSON.parse(atom.get_descriptors()).amw;
  if (atom !== null) atom.delete();
  weights.set(symbol, mass);
  return mass;
}

async function renew() {
  toolkit = await createToolkit(quiet);
  weights = new Map(publishedWeights);
}

async function safeAnswerOf(task, input) {
  try {
    return answerOf(task, input);
  } catch (error) {
    await renew();
    return failed("the built-in toolkit could not handle this molecule");
  }
}

// One job at a time: the parent waits for the answers before it sends the next.
parentPort.on("message", async ({ jobId, task, inputs }) => {
  const answers = [];
  for (const input of inputs) answers.push(await safeAnswerOf(task, input));
  parentPort.postMessage({ jobId, answers });
});

renew().then(() => parentPort.postMessage({ ready: toolkit.version() }));
`;
