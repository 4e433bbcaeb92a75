/** What statements cost, from the list price of Athena in most regions. */

const usdPerTerabyte = 5;
const terabyte = 1e12;
/** Charged for each statement, however little it reads. */
const leastBytes = 10e6;

export const priceBasis = "list price: 5 USD for each TB read, at least 10 MB for each statement";

export function statementPrice(scannedBytes: number): number {
  return (Math.max(scannedBytes, leastBytes) / terabyte) * usdPerTerabyte;
}
