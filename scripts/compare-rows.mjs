// How a row of a benchmark compares with the row of the same name that was recorded last.

/** More than this share of the ratio is not noise. */
const noise = 0.1;

/** What a row costs against its peer, whichever way its own ratio is written: more is slower. undefined = not known. */
export function costOf({ ours, peer, unit }) {
  if (!(ours > 0) || !(peer > 0)) return undefined;
  return /\/s$/.test(unit ?? "") ? peer / ours : ours / peer;
}

/**
 * `change`: how much dearer it became, as a share of the recorded ratio to the peer: 0.2 = by a fifth. undefined where one
 * of them has no figures.
 */
export function compareRow(row, last) {
  const [now, before] = [costOf(row), last === undefined ? undefined : costOf(last)];
  if (now === undefined || before === undefined) return { change: undefined, isSlower: false };
  const change = now / before - 1;
  return { change, isSlower: change > noise };
}

/** One line for people. */
export function comparisonLine(row, last) {
  const ratio = (value) =>
    typeof value?.ratio === "number" ? String(Number(value.ratio.toPrecision(3))) : "–";
  if (last === undefined) return `new     ${row.bench}: ${ratio(row)}`;
  const { change, isSlower } = compareRow(row, last);
  const words =
    change === undefined
      ? "no figures to compare"
      : `${change > 0 ? "dearer" : "cheaper"} by ${Math.abs(change * 100).toFixed(0)} %`;
  return `${isSlower ? "SLOWER " : "       "} ${row.bench}: ${ratio(row)}, recorded ${ratio(last)} (${words})`;
}
