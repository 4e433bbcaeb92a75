/** Which names scripts have. */
export function acceptsName(name: string): boolean {
  return /\.nf$/.test(name);
}
