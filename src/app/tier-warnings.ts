/** What commands report about their tiers while they run. */
import { sizeText, unreachable } from "../kernel/index.ts";
import type { PredictEventSink } from "../predict/index.ts";
import type { TierEvent } from "../store/predictions/index.ts";

export function warnOf(emit: PredictEventSink): (event: TierEvent) => void {
  return (event) => {
    // The run itself says that a tier is left out, or ends with the tier's error: once is enough.
    if (event.kind === "tier-unreachable" || event.kind === "tier-call-failed") return;
    emit({ kind: "warning", message: eventMessage(event) });
  };
}

function headerMessage(event: Extract<TierEvent, { readonly kind: "tier-header-mismatch" }>): string {
  const { tier, modelId, expected, found, rows } = event;
  if (rows === "by-position")
    return `${tier} holds columns without names for ${modelId}; its rows of ${expected.length} cells are read as ${expected.join(", ")} (--ersilia-rows positional)`;
  const way = found === undefined ? "; --ersilia-rows positional takes their cells in the model's order" : "";
  return `${tier} holds columns ${found?.join(", ") ?? "without names"} for ${modelId}, expected ${expected.join(", ")}; they are not used${way}`;
}

type ReportedEvent = Exclude<TierEvent, { readonly kind: "tier-unreachable" | "tier-call-failed" }>;

function eventMessage(event: ReportedEvent): string {
  switch (event.kind) {
    case "tier-back":
      return `${event.tier} answers again`;
    case "tier-write-refused":
      return `${event.tier} takes no new predictions: ${event.reason}`;
    case "tier-header-mismatch":
      return headerMessage(event);
    case "tier-rows-damaged":
      return `${event.tier}: ${event.rows} stored rows of ${event.modelId} are damaged and count as missing`;
    case "tier-file-skipped":
      return `${event.tier}: ${event.file} is left out: ${event.reason}`;
    case "tier-query-priced": {
      const limit = event.mostUsd === undefined ? "" : ` and at most ${usd(event.mostUsd)}`;
      return `${event.tier}: each statement costs at least ${usd(event.leastUsd)}${limit} (${event.basis})`;
    }
    case "tier-query-charged":
      return `${event.tier}: ${event.statements} statements read ${sizeText(event.scannedBytes)} and cost about ${usd(event.usd)}`;
    case "tier-rows-not-storable":
      return `${event.tier}: ${event.rows} predictions of ${event.modelId} cannot be kept there`;
    default:
      return unreachable(event);
  }
}

/** `0.00005 USD`: prices of single statements are small. */
function usd(amount: number): string {
  return `${Number(amount.toPrecision(2))
    .toFixed(6)
    .replace(/0{1,4}$/, "")} USD`;
}
