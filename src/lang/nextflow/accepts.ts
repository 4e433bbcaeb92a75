/** Which names scripts have. */
export function acceptsName(name: string): boolean {
  return /\.nf$/.test(name);
}

/** Scripts, however their names are written, and configuration files. */
export function suggestsName(name: string): boolean {
  return /(\.nf|(^|\/)nextflow\.config)$/i.test(name);
}
