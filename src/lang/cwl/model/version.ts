/** Versions of the language. The model is always that of the newest one; the original is remembered for the few differences of meaning. */
export const cwlVersions = ["v1.0", "v1.1", "v1.2"] as const;

export type CwlVersion = (typeof cwlVersions)[number];

export function atLeast(version: CwlVersion, wanted: CwlVersion): boolean {
  return cwlVersions.indexOf(version) >= cwlVersions.indexOf(wanted);
}
