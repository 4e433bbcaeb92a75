/** The four ways of answering, and what each does with what is not found. One row per mode, as documented. */

/** `compute` = no flag given: look up locally, compute the rest. The others are named as their flags. */
export type Mode = "compute" | "local-cache-only" | "cloud-cache-only" | "cache-only";

/** Where a stored row may come from. */
export type Source = "local" | "cloud";

export interface ModePlan {
  /** In the order in which they are asked. */
  readonly lookUp: readonly Source[];
  readonly computes: "allowed" | "never";
  /** What a missing value is written as in CSV and TSV unless the user says otherwise. */
  readonly missing: string;
}

const plans: Readonly<Record<Mode, ModePlan>> = {
  compute: { lookUp: ["local"], computes: "allowed", missing: "" },
  "local-cache-only": { lookUp: ["local"], computes: "never", missing: "None" },
  "cloud-cache-only": { lookUp: ["cloud"], computes: "never", missing: "\\N" },
  "cache-only": { lookUp: ["local", "cloud"], computes: "allowed", missing: "" },
};

export function planOf(mode: Mode): ModePlan {
  return plans[mode];
}
