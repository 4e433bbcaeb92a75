export interface BenchRow {
  readonly bench: string;
  readonly ratio?: number;
  readonly ours?: number;
  readonly peer?: number;
  readonly unit?: string;
}
export function costOf(row: BenchRow): number | undefined;
export function compareRow(
  row: BenchRow,
  last: BenchRow | undefined,
): { readonly change: number | undefined; readonly isSlower: boolean };
export function comparisonLine(row: BenchRow, last: BenchRow | undefined): string;
