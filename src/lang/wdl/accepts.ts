/** Which names documents have. */
export function acceptsName(name: string): boolean {
  return /\.wdl$/i.test(name);
}
