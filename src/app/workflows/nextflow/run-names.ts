/** Names of runs: an adjective and a scientist, as Nextflow gives them. */
import { randomInt } from "node:crypto";
import { AppError } from "../../../kernel/index.ts";

const adjectives =
  "able brave bright brisk calm careful cheerful clear clever cosy curious daring eager early earnest fair famous fearless fine friendly gentle glad graceful grand helpful honest humble jolly keen kind lively loyal lucky mellow merry mild modest neat noble patient plain polite proud quick quiet rapid ready serene sharp silent simple sincere smooth sober steady still strong sunny swift tidy tranquil upbeat vivid warm wise witty zesty".split(
    " ",
  );
const scientists =
  "ampere anning archimedes avogadro banting bohr boyle brahe cannon carver cavendish chargaff copernicus cori crick curie dalton darwin dirac edelman einstein elion euler faraday fermat fermi fisher fleming florey franklin galilei gauss germain gibbs goodall haldane harvey hertz hodgkin hooke hopper hubble huygens jenner joule kekule kepler khorana koch lamarr laplace lavoisier leeuwenhoek linnaeus lovelace maxwell mcclintock meitner mendel mendeleev miescher morgan nernst newton nirenberg noether ohm pascal pasteur pauling perutz planck poincare ramanujan rutherford sanger shannon somerville thales turing volta wallace watt wu yalow".split(
    " ",
  );

export function newRunName(used: ReadonlySet<string>): string {
  for (let tries = 0; ; tries++) {
    const name = `${pick(adjectives)}_${pick(scientists)}`;
    if (!used.has(name)) return name;
    if (tries > 100) return `${name}_${randomInt(1_000_000)}`;
  }
}

/** @throws AppError CLI_USAGE for a name that is used or has characters that names do not have. */
export function checkedRunName(name: string, used: ReadonlySet<string>): string {
  if (!/^[a-z](?:[a-z\d]|[-_](?=[a-z\d])){0,79}$/i.test(name))
    throw new AppError(
      "CLI_USAGE",
      `Not a valid run name: \`${name}\` -- It must match the pattern ^[a-z](?:[a-z\\d]|[-_](?=[a-z\\d])){0,79}$`,
    );
  if (used.has(name))
    throw new AppError("CLI_USAGE", `Run name \`${name}\` has been already used -- Specify a different one`);
  return name;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? "run";
}
