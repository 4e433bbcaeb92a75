/** What the checker can find wrong with names, types and expressions. One function each. */
import { type Diagnostic, didYouMean, listNames } from "../../../kernel/index.ts";
import type { Place } from "../syntax/diagnostics.ts";
import type { WdlVersion } from "../syntax/version.ts";
import { printType, type WdlType } from "../types/type.ts";

export type { Place } from "../syntax/diagnostics.ts";

const spec = "https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md";

export type Rest = Partial<Omit<Diagnostic, "code" | "message">>;

export function problem(code: string, place: Place, message: string, rest: Rest = {}): Diagnostic {
  return { code, severity: "error", message, source: place.source, span: place.span, ...rest };
}

/** Names that there are. They are asked for only when the diagnostic is shown, since there may be thousands. */
export type Names = () => Iterable<string>;

/** `help: did you mean x?`, or the names there are when they are few. */
export function suggestion(name: string, candidates: Names, what: string): Rest {
  return {
    help: () => {
      const near = didYouMean(name, candidates());
      if (near !== undefined) return `did you mean ${near}?`;
      const few = new Set<string>();
      for (const candidate of candidates()) {
        few.add(candidate);
        if (few.size > mostListed) return undefined;
      }
      return few.size === 0 ? `there are no ${what}` : `${what}: ${[...few].join(", ")}`;
    },
  };
}

const mostListed = 8;

// --- names

export function unknownName(place: Place, name: string, visible: Names): Diagnostic {
  return problem("wdl-unknown-name", place, `unknown name ${name}`, suggestion(name, visible, "names here"));
}

export function duplicateName(
  place: Place,
  name: string,
  what: string,
  first: Place,
  where: string,
): Diagnostic {
  return problem("wdl-duplicate-name", place, `${what} ${name} has a name that is already taken`, {
    labels: [{ ...first, message: `${where} ${name}` }],
    help: what.startsWith("call")
      ? `give one of them another name: call … as other_${name}`
      : "rename one of them",
  });
}

export function shadowingVariable(
  place: Place,
  name: string,
  what: string,
  first: Place,
  where: string,
): Diagnostic {
  return { ...duplicateName(place, name, what, first, where), code: "wdl-shadowing-variable" };
}

/** A warning: outputs are a scope within, and examples of the specification itself do it. */
export function shadowingOutput(place: Place, name: string, first: Place, where: string): Diagnostic {
  return {
    ...problem("wdl-shadowing-output", place, `output ${name} has the name of ${where} ${name}`, {
      labels: [{ ...first, message: `${where} ${name}` }],
      help: "rename the output or the other",
    }),
    severity: "warning",
  };
}

export function unknownType(place: Place, name: string, known: Names): Diagnostic {
  return problem("wdl-unknown-type", place, `unknown type ${name}`, suggestion(name, known, "known types"));
}

export function unknownFunction(place: Place, name: string, known: Names): Diagnostic {
  return problem("wdl-unknown-function", place, `unknown function ${name}`, {
    help: () => {
      const near = didYouMean(name, known());
      return near === undefined ? undefined : `did you mean ${near}?`;
    },
  });
}

export function functionNeedsVersion(
  place: Place,
  name: string,
  since: WdlVersion,
  version: WdlVersion,
): Diagnostic {
  const have = version === "draft-2" ? "draft-2" : `version ${version}`;
  return problem("wdl-needs-version", place, `the function ${name} came with WDL ${since}; this is ${have}`, {
    help: `change the version statement to "version ${since}"`,
    specUrl: `${spec}#${name}`,
  });
}

export function notAValue(place: Place, name: string, what: string): Diagnostic {
  return problem("wdl-not-a-value", place, `${name} is ${what}, not a value`);
}

// --- types

export function typeMismatch(place: Place, found: WdlType, expected: WdlType, what: string): Diagnostic {
  return problem("wdl-type", place, `${what} must be ${printType(expected)}, found ${printType(found)}`, {
    specUrl: `${spec}#type-coercion`,
  });
}

export function optionalForRequired(
  place: Place,
  found: WdlType,
  expected: WdlType,
  what: string,
): Diagnostic {
  return problem(
    "wdl-optional-for-required",
    place,
    `${what} must be ${printType(expected)}, found ${printType(found)}, which may be None`,
    {
      help: "give it a value with select_first([…, default]), or test it with defined(…); --lenient accepts it",
      specUrl: `${spec}#coercion-of-optional-types`,
    },
  );
}

export function looseConversion(place: Place, found: WdlType, expected: WdlType, what: string): Diagnostic {
  return problem(
    "wdl-loose-conversion",
    place,
    `${what} must be ${printType(expected)}, found ${printType(found)}`,
    {
      help: "convert it explicitly, for example with a placeholder or read_…; --lenient accepts it",
      specUrl: `${spec}#-limited-exceptions`,
    },
  );
}

/** A warning: the specification leaves it to the engine, and every engine does it. */
export function numberFromText(place: Place, found: WdlType, expected: WdlType, what: string): Diagnostic {
  return {
    ...problem(
      "wdl-number-from-text",
      place,
      `${what} is ${printType(expected)} and gets ${printType(found)}: the text must turn out to be a number`,
      { specUrl: `${spec}#-limited-exceptions` },
    ),
    severity: "warning",
  };
}

export function emptyForNonEmpty(place: Place, expected: WdlType, what: string): Diagnostic {
  return problem("wdl-empty-array", place, `${what} must be ${printType(expected)}, which cannot be empty`);
}

export function noCommonType(place: Place, found: WdlType, others: WdlType, what: string): Diagnostic {
  return problem(
    "wdl-no-common-type",
    place,
    `${what} is ${printType(found)}, which does not go with ${printType(others)} before it`,
  );
}

export function branchTypes(place: Place, then: WdlType, otherwise: WdlType): Diagnostic {
  return problem(
    "wdl-no-common-type",
    place,
    `then is ${printType(then)} and else is ${printType(otherwise)}: both must have one type`,
  );
}

export function mapKeyType(place: Place, found: WdlType): Diagnostic {
  return problem(
    "wdl-map-key",
    place,
    `keys of a Map must be of a primitive type, found ${printType(found)}`,
  );
}

export function duplicateKey(place: Place, key: string, first: Place): Diagnostic {
  return problem("wdl-duplicate-key", place, `the key ${key} is given twice`, {
    labels: [{ ...first, message: "first here" }],
  });
}

export function badOperands(place: Place, operator: string, left: WdlType, right: WdlType): Diagnostic {
  return problem(
    "wdl-operands",
    place,
    `the operator ${operator} does not take ${printType(left)} and ${printType(right)}`,
    { specUrl: `${spec}#binary-operators-on-primitive-types` },
  );
}

export function optionalOperand(place: Place, operator: string, found: WdlType): Diagnostic {
  return problem(
    "wdl-optional-for-required",
    place,
    `the operator ${operator} needs a value, found ${printType(found)}, which may be None`,
    {
      help: "give it a value with select_first([…, default]), or use it inside a placeholder; --lenient accepts it",
      specUrl: `${spec}#concatenation-of-optional-values`,
    },
  );
}

export function badOperand(place: Place, operator: string, found: WdlType): Diagnostic {
  return problem("wdl-operands", place, `the operator ${operator} does not take ${printType(found)}`);
}

export function argumentCount(
  place: Place,
  name: string,
  found: number,
  least: number,
  most: number,
  signatures: readonly string[],
): Diagnostic {
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  return problem(
    "wdl-argument-count",
    place,
    `${name} takes ${wanted} argument${wanted === "1" ? "" : "s"}, found ${found}`,
    { help: signatures.map((each) => `${name}${each}`).join("; "), specUrl: `${spec}#${name}` },
  );
}

export function argumentType(
  place: Place,
  name: string,
  found: WdlType,
  signatures: readonly string[],
): Diagnostic {
  return problem("wdl-argument-type", place, `${name} does not take ${printType(found)} here`, {
    help: signatures.map((each) => `${name}${each}`).join("; "),
    specUrl: `${spec}#${name}`,
  });
}

export function unwritable(place: Place, name: string, reason: string): Diagnostic {
  return problem("wdl-argument-type", place, `${name}: ${reason}`, {
    specUrl: `${spec}#${name}`,
  });
}

export function onlyInOutputs(place: Place, name: string): Diagnostic {
  return problem("wdl-only-in-outputs", place, `${name} can be used only in the output section of a task`, {
    help: "before the command has run there is nothing to find",
    specUrl: `${spec}#${name}`,
  });
}

export function unknownMember(place: Place, name: string, of: string, known: Names): Diagnostic {
  return problem(
    "wdl-unknown-member",
    place,
    `${of} has no member ${name}`,
    suggestion(name, known, "members"),
  );
}

export function extraMember(place: Place, name: string, struct: string, known: Names): Diagnostic {
  return problem(
    "wdl-extra-member",
    place,
    `struct ${struct} has no member ${name}`,
    suggestion(name, known, "members"),
  );
}

export function unknownCallOutput(place: Place, name: string, call: string, known: Names): Diagnostic {
  return problem(
    "wdl-unknown-output",
    place,
    `call ${call} has no output ${name}`,
    suggestion(name, known, "outputs"),
  );
}

export function noMembers(place: Place, type: WdlType): Diagnostic {
  return problem("wdl-no-members", place, `${printType(type)} has no members`);
}

export function notIndexable(place: Place, type: WdlType): Diagnostic {
  return problem("wdl-not-indexable", place, `${printType(type)} cannot be indexed`, {
    help: "arrays take an Int in brackets, maps a key",
  });
}

export function placeholderType(place: Place, found: WdlType): Diagnostic {
  return problem("wdl-placeholder-type", place, `${printType(found)} cannot be put into text`, {
    help:
      found.kind === "array"
        ? 'join it with sep(" ", …), or with the option sep=" " before WDL 1.1'
        : "use one of its parts, or write it to a file with write_json(…)",
    specUrl: `${spec}#expression-placeholder-coercion`,
  });
}

export function placeholderOptionType(
  place: Place,
  option: string,
  found: WdlType,
  wanted: string,
): Diagnostic {
  return problem(
    "wdl-placeholder-option-type",
    place,
    `the placeholder option ${option} needs ${wanted}, found ${printType(found)}`,
  );
}

export function missingMembers(place: Place, struct: string, names: readonly string[]): Diagnostic {
  return problem(
    "wdl-missing-members",
    place,
    `${struct} is not complete: ${listNames(names)} ${names.length === 1 ? "is" : "are"} missing`,
  );
}

export function notAStruct(place: Place, name: string, what: string): Diagnostic {
  return problem("wdl-not-a-struct", place, `${name} is ${what}, not a struct`);
}

export function intOutOfRange(place: Place): Diagnostic {
  return problem("wdl-int-range", place, "this number does not fit into Int (64 bits, signed)");
}
