/** Codes of what is legal, but not what Memoir can do. The common `cwl-runner` interface has an exit code for it. */
export const unsupported = {
  docker: "cwl-unsupported-docker",
  operation: "cwl-unsupported-operation",
  requirement: "cwl-unsupported-requirement",
  version: "cwl-unsupported-version",
} as const;

const codes: ReadonlySet<string> = new Set(Object.values(unsupported));

export function isUnsupported(code: string): boolean {
  return codes.has(code);
}
