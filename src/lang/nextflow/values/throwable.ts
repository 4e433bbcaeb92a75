/** Exceptions of scripts, with the hierarchy that `catch` knows. */
import type { SourceText, Span } from "../../../kernel/index.ts";
import { Unique, type Value } from "./thing.ts";

const parents: Readonly<Record<string, string>> = {
  Throwable: "",
  Error: "Throwable",
  AssertionError: "Error",
  PowerAssertionError: "AssertionError",
  StackOverflowError: "Error",
  Exception: "Throwable",
  RuntimeException: "Exception",
  IllegalArgumentException: "RuntimeException",
  NumberFormatException: "IllegalArgumentException",
  IllegalStateException: "RuntimeException",
  UnsupportedOperationException: "RuntimeException",
  NullPointerException: "RuntimeException",
  ClassCastException: "RuntimeException",
  ArithmeticException: "RuntimeException",
  IndexOutOfBoundsException: "RuntimeException",
  ArrayIndexOutOfBoundsException: "IndexOutOfBoundsException",
  StringIndexOutOfBoundsException: "IndexOutOfBoundsException",
  NoSuchElementException: "RuntimeException",
  GroovyRuntimeException: "RuntimeException",
  GroovyCastException: "ClassCastException",
  MissingPropertyException: "GroovyRuntimeException",
  MissingMethodException: "GroovyRuntimeException",
  DateTimeException: "RuntimeException",
  PatternSyntaxException: "IllegalArgumentException",
  IllegalFormatException: "IllegalArgumentException",
  IllegalFormatConversionException: "IllegalFormatException",
  JsonException: "RuntimeException",
  IOException: "Exception",
  FileNotFoundException: "IOException",
  NoSuchFileException: "FileSystemException",
  FileSystemException: "IOException",
  FileAlreadyExistsException: "FileSystemException",
  AbortOperationException: "RuntimeException",
  ScriptRuntimeException: "RuntimeException",
  ProcessException: "RuntimeException",
  ProcessUnrecoverableException: "ProcessException",
  ProcessFailedException: "ProcessException",
  WorkflowScriptErrorException: "AbortOperationException",
};

/** With a final dot. Classes of a pipeline have none. */
const packages: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    "java.lang.":
      "Throwable Error AssertionError StackOverflowError Exception RuntimeException IllegalArgumentException NumberFormatException IllegalStateException UnsupportedOperationException NullPointerException ClassCastException ArithmeticException IndexOutOfBoundsException ArrayIndexOutOfBoundsException StringIndexOutOfBoundsException",
    "java.io.": "IOException FileNotFoundException",
    "java.nio.file.": "NoSuchFileException FileSystemException FileAlreadyExistsException",
    "java.time.": "DateTimeException",
    "java.util.": "NoSuchElementException",
    "java.util.regex.": "PatternSyntaxException",
    "groovy.json.": "JsonException",
    "groovy.lang.": "GroovyRuntimeException MissingPropertyException MissingMethodException",
    "org.codehaus.groovy.runtime.typehandling.": "GroovyCastException",
    "org.codehaus.groovy.runtime.powerassert.": "PowerAssertionError",
    "nextflow.exception.":
      "AbortOperationException ScriptRuntimeException ProcessException ProcessUnrecoverableException ProcessFailedException WorkflowScriptErrorException",
  }).flatMap(([name, types]) => types.split(" ").map((type) => [type, name])),
);

export function isException(name: string): boolean {
  return Object.hasOwn(parents, name) || /(?:Exception|Error)$/.test(name);
}

export class Throwable extends Unique {
  readonly type: string;
  readonly message: string | null;
  readonly cause: Value;

  constructor(type: string, message: string | null, cause: Value = null) {
    super();
    this.type = type;
    this.message = message;
    this.cause = cause;
  }

  override text(): string {
    const name = (packages[this.type] ?? "") + this.type;
    return this.message === null ? name : `${name}: ${this.message}`;
  }

  override get(name: string): Value | undefined {
    switch (name) {
      case "message":
      case "localizedMessage":
        return this.message;
      case "cause":
        return this.cause;
      case "stackTrace":
        return [];
      default:
        return undefined;
    }
  }

  override invoke(name: string): Value | undefined {
    switch (name) {
      case "getMessage":
      case "getLocalizedMessage":
        return this.message;
      case "getCause":
        return this.cause;
      case "printStackTrace":
        return null;
      case "getStackTrace":
        return [];
      default:
        return undefined;
    }
  }

  isA(name: string): boolean {
    const simple = name.split(".").at(-1) ?? name;
    for (
      let type: string | undefined = this.type;
      type !== undefined && type !== "";
      type = parents[type] ?? "Exception"
    ) {
      if (type === simple) return true;
      if (type === "Throwable") return false;
      if (!Object.hasOwn(parents, type) && simple === "RuntimeException") return true;
    }
    return false;
  }
}

/** A call of a function that nothing defines. */
export class UnknownFunction extends Throwable {
  readonly name: string;

  constructor(name: string) {
    super("MissingMethodException", `\`${name}\` is not defined: there is no such function`);
    this.name = name;
  }
}

/** How an exception of a script travels. The place is where it was thrown. */
export class ScriptFailure extends Error {
  override readonly name = "ScriptFailure";
  readonly thrown: Throwable;
  place: { readonly source: SourceText; readonly span: Span } | undefined;

  constructor(thrown: Throwable) {
    super(thrown.message ?? thrown.type);
    this.thrown = thrown;
  }
}

/** `exit` ends the run with a code. */
export class ExitRequest extends Error {
  override readonly name = "ExitRequest";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function fail(type: string, message: string): never {
  throw new ScriptFailure(new Throwable(type, message));
}

export const illegal = (message: string): never => fail("IllegalArgumentException", message);
