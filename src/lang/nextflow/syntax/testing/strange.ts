/** Pipelines and configuration with mistakes of all kinds. */
import fc from "fast-check";
import { definedNames } from "../../check/load.ts";
import { undefinedNames } from "../../check/names.ts";
import { strangeEnd } from "../../eval/testing/strange.ts";
import { parseConfig } from "../config.ts";
import { parseScript } from "../script.ts";

const whole = [
  `include { A; B as C } from './x.nf'
params.x = 1
params { a: String = 'b'; c: Path }
process P {
  tag "\${meta.id}"
  cpus { 2 * task.attempt }
  input:
  tuple val(meta), path(reads, stageAs: '?/*'), env('X')
  each mode
  output:
  tuple val(meta), path("*.txt"), emit: out, optional: true
  eval('tool --version'), topic: versions
  when: meta.id != 'x'
  script:
  def args = task.ext.args ?: ''
  """
  tool $args \${reads.join(' ')} | awk '{ print \\$1 }' > out.txt
  """
  stub: "touch a.txt"
}
workflow W { take: a; main: P(a, ['x']) | view; emit: out = P.out.out }
`,
  `def f(a, int b = 2, ... c) { for (int i = 0; i < b; i++) { a += i }; return a ?: c[0] }
class K { String name; static int n = 1; K(x) { name = x }; def m() { "$name.\${n}" } }
workflow {
  ch = channel.of(1..3, 'a').map { it -> [it, it * 2] }.branch { small: it[0] < 2; large: true }
  try { throw new Exception('x') } catch (IllegalStateException | Error e) { log.info e.message } finally { println 1 }
  switch (x) { case ~/a+/: break; case [1, 2]: y = 1; default: z = a?.b*.c ?: d.e[0..-2] }
  def (a, b) = [1, 2]; assert a < b : 'no'; x = a ? b : c ? d : [k: 1, (v): 2, *: m]
  while (true) { if (!(a in b)) break; else continue }
}
output { samples { path { m -> "\${m.id}/" }; index { path 'i.csv'; header true } } }
`,
  `profiles { test { params.x = 1; includeConfig 'a.config' } ; docker { docker.enabled = true } }
process {
  withName: 'A|B' { cpus = { check_max(1, 'cpus') }; ext.args = [1, '--x'].join(' ') }
  withLabel: '!big' { memory = 4.GB * 2; publishDir = [[path: { "\${params.outdir}" }, mode: 'copy', saveAs: { f -> f.equals('v') ? null : f }]] }
}
env.X = System.getenv('Y') ?: "a\${1 + 1}b"
manifest { name = 'n'; nextflowVersion = '!>=23.10' }
def check_max(obj, type) { return obj }
plugins { id 'nf-schema@2.0' }
`,
];
const bits = [
  ..."{ } ( ) [ ] ' \" / $ ${ \\ ; : , -> = .. * ?. @ #! /* */ // 1e 0x 1L.. as in new ?: !in && else return".split(
    " ",
  ),
  ...[
    "\n",
    '"""',
    "'''",
    "$/",
    "\u0000",
    "\ud800",
    "é",
    "def ",
    "process X {",
    "workflow {",
    "script:",
    "input:",
    "if (",
  ],
  ...[
    "switch (x) {",
    "case 1:",
    "try {",
    "} catch (e) {",
    "for (;;)",
    "class A {",
    "enum E {",
    "params {",
    "@Grab",
  ],
];

const change = fc.record({ at: fc.nat(4000), cut: fc.nat(30), put: fc.constantFrom("", ...bits) });

/** A few changes at any places. */
export const brokenText: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...whole), fc.array(change, { minLength: 1, maxLength: 6 }))
  .map(([text, changes]) =>
    changes.reduce((now, { at, cut, put }) => {
      const place = at % (now.length + 1);
      return now.slice(0, place) + put + now.slice(place + (put === "" ? cut : 0));
    }, text),
  );

/** What may not happen; undefined: there is a tree, or there are diagnostics within the text. */
export function strangeText(text: string): string | undefined {
  return strangeEnd(() => {
    const { script, diagnostics } = parseScript({ name: "x.nf", text });
    undefinedNames(script, new Set(script.items.flatMap((item) => definedNames(item))));
    const config = parseConfig({ name: "x.config", text });
    for (const { span } of [...diagnostics, ...config.diagnostics])
      if (span.start > text.length || span.end < span.start)
        throw new Error(`a diagnostic at ${span.start} to ${span.end} of ${text.length} characters`);
  });
}
