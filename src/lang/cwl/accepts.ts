/** Which names documents have. */
export function acceptsName(name: string): boolean {
  return /\.cwl(?:\.(?:json|ya?ml))?$/i.test(name);
}
