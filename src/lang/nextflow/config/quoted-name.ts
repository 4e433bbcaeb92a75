/** As a key in a configuration file. */
export function quotedName(name: string): string {
  const selector = /^(withLabel|withName):(.*)$/s.exec(name);
  if (selector !== null) return `${selector[1]}:${quotedName(selector[2] ?? "")}`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : `'${name}'`;
}
