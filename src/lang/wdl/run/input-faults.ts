/**
 * Everything that is wrong with the value of one input, each at its own place in the value. Asked only when the value
 * as a whole has been refused.
 */
import { type Diagnostic, defined, didYouMean, listNames } from "../../../kernel/index.ts";
import { printType, type WdlType } from "../types/type.ts";
import { ValueFailure } from "../values/failure.ts";
import { type InputPlace, inputValue } from "./input-values.ts";

export interface InputFault {
  /** From the input's value inwards: names of members and indexes of items. */
  readonly path: readonly (string | number)[];
  /** Whether the member's name is wrong, or a value. */
  readonly of: "name" | "value";
  readonly message: string;
  readonly help?: Diagnostic["help"];
}

/** More of one input would only hide the others. */
const mostFaults = 20;

export async function inputFaults(
  given: unknown,
  type: WdlType,
  what: string,
  place: InputPlace,
): Promise<readonly InputFault[]> {
  return (await faultsIn(given, type, { what, path: [], place })).slice(0, mostFaults);
}

interface Where {
  readonly what: string;
  readonly path: readonly (string | number)[];
  readonly place: InputPlace;
}

async function faultsIn(given: unknown, type: WdlType, where: Where): Promise<readonly InputFault[]> {
  const whole = await faultOf(given, type, where);
  if (whole === undefined) return [];
  const inner = await innerFaults(given, type, where);
  return inner.length > 0 ? inner : [whole];
}

async function faultOf(given: unknown, type: WdlType, where: Where): Promise<InputFault | undefined> {
  try {
    await inputValue(given, type, where.what, where.place);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValueFailure)) throw error;
    const { message, help } = error;
    return { path: where.path, of: "value", message, ...defined({ help }) };
  }
}

async function innerFaults(given: unknown, type: WdlType, where: Where): Promise<readonly InputFault[]> {
  if (typeof given !== "object" || given === null) return [];
  const faults: InputFault[] = [];
  const look = async (step: string | number, item: unknown, of: WdlType, what: string) => {
    if (faults.length < mostFaults)
      faults.push(...(await faultsIn(item, of, { ...where, path: [...where.path, step], what })));
  };
  const { what } = where;
  if (type.kind === "array" && Array.isArray(given)) {
    for (const [i, item] of given.entries()) await look(i, item, type.item, `item ${i} of ${what}`);
  } else if (type.kind === "map" && !Array.isArray(given)) {
    for (const [name, item] of Object.entries(given))
      await look(name, item, type.value, `"${name}" of ${what}`);
  } else if (type.kind === "pair" && "left" in given && "right" in given) {
    await look("left", given.left, type.left, `the left side of ${what}`);
    await look("right", given.right, type.right, `the right side of ${what}`);
  } else if (type.kind === "struct" && !Array.isArray(given)) {
    const members = new Map<string, unknown>(Object.entries(given));
    const names = [...type.members.keys()];
    for (const [name, item] of members) {
      if (faults.length >= mostFaults) break;
      const of = type.members.get(name);
      if (of !== undefined) await look(name, item, of, `"${name}" of ${what}`);
      else faults.push(unknownMember(name, type.name, names, where));
    }
    for (const [name, of] of type.members) {
      if (faults.length >= mostFaults) break;
      if (members.has(name) || of.optional) continue;
      const message = `${what} has no member "${name}", but ${type.name} needs one of type ${printType(of)}`;
      faults.push({ path: where.path, of: "value", message });
    }
  }
  return faults;
}

function unknownMember(name: string, struct: string, names: readonly string[], where: Where): InputFault {
  return {
    path: [...where.path, name],
    of: "name",
    message: `${where.what} has a member "${name}", which ${struct} does not have`,
    help: () => {
      const near = didYouMean(name, names);
      return near === undefined ? `members are ${listNames(names)}` : `did you mean "${near}"?`;
    },
  };
}
