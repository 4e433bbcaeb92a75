/** Command lines of Nextflow with what they print: which source of a setting wins, and what the options do. */
export interface CommandCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** After `nextflow`. */
  readonly words: readonly string[];
  /** Command lines before that one. */
  readonly before?: readonly (readonly string[])[];
  readonly env?: Readonly<Record<string, string>>;
  /** The whole output without white space at its ends. */
  readonly out?: string;
  readonly includes?: readonly string[];
  /** Default: 0. */
  readonly code?: number;
}

const print = 'workflow { println "$params.o" }\n';
const script = `params.o = 'script'\n${print}`;
const task = (directives: string, text = "${task.cpus} ${task.ext.args}") =>
  `process FOO { ${directives}\n output: stdout\n script: "printf '%s' '${text}'" }\n`;
const direct = (directives = "", text?: string) => `${task(directives, text)}workflow { FOO() | view }\n`;
const nested = (directives = "") =>
  `${task(directives)}workflow W { main: FOO()\n FOO.out.view() }\nworkflow { W() }\n`;
const run = (...words: readonly string[]) => ["-q", "run", "main.nf", ...words];

export const precedenceCases: readonly CommandCase[] = [
  { name: "a script's parameter is a default", files: { "main.nf": script }, words: run(), out: "script" },
  {
    name: "configuration wins over the script",
    files: { "main.nf": script, "nextflow.config": "params.o = 'config'\n" },
    words: run(),
    out: "config",
  },
  {
    name: "a params file wins over configuration",
    files: { "main.nf": script, "nextflow.config": "params.o = 'config'\n", "p.yml": "o: file\n" },
    words: run("-params-file", "p.yml"),
    out: "file",
  },
  {
    name: "the command line wins over a params file",
    files: { "main.nf": script, "nextflow.config": "params.o = 'config'\n", "p.json": '{"o": "file"}' },
    words: run("-params-file", "p.json", "--o", "given"),
    out: "given",
  },
  {
    name: "configuration of the launch folder wins over that of the project",
    files: {
      "p/main.nf": `${print}`,
      "p/nextflow.config": "params.o = 'project'\n",
      "nextflow.config": "params.o = 'launch'\n",
    },
    words: ["-q", "run", "p"],
    out: "launch",
  },
  {
    name: "the project's configuration wins over that of the home",
    files: {
      "main.nf": print,
      "nextflow.config": "params.o = 'project'\n",
      "home/config": "params.o = 'home'\n",
    },
    words: run(),
    env: { NXF_HOME: "home" },
    out: "project",
  },
  {
    name: "the configuration of the home counts where nothing else does",
    files: { "main.nf": script, "home/config": "params.o = 'home'\n" },
    words: run(),
    env: { NXF_HOME: "home" },
    out: "home",
  },
  {
    name: "NXF_CONFIG_FILE names the file of the launch folder",
    files: {
      "main.nf": print,
      "nextflow.config": "params.o = 'usual'\n",
      "other.config": "params.o = 'other'\n",
    },
    words: run(),
    env: { NXF_CONFIG_FILE: "other.config" },
    out: "other",
  },
  {
    name: "the last of several -c files wins, whether before or after run",
    files: {
      "main.nf": print,
      "nextflow.config": "params.o = 'project'\n",
      "a.config": "params.o = 'a'\n",
      "b.config": "params.o = 'b'\n",
    },
    words: ["-q", "-c", "a.config", "run", "main.nf", "-c", "b.config"],
    out: "b",
  },
  {
    name: "-C reads no other file",
    files: {
      "main.nf": 'workflow { println "$params.o ${params.only}" }\n',
      "nextflow.config": "params.only = 1\n",
      "a.config": "params.o = 'a'\n",
    },
    words: ["-q", "-C", "a.config", "run", "main.nf", "--only", "none"],
    out: "a none",
  },
  {
    name: "later lines of the configuration see the value of the command line",
    files: {
      "main.nf": 'workflow { println "$params.o $params.seen" }\n',
      "nextflow.config": "params.o = 'config'\nparams.seen = params.o\n",
    },
    words: run("--o", "given"),
    out: "given given",
  },
  {
    name: "-c changes a value, and not what was made of it before",
    files: {
      "main.nf": 'workflow { println "$params.o $params.seen" }\n',
      "nextflow.config": "params.o = 'x'\nparams.seen = \"<$params.o>\"\n",
      "a.config": "params.o = 'z'\n",
    },
    words: run("-c", "a.config"),
    out: "z <x>",
  },
  {
    name: "closures of the configuration see the last value",
    files: {
      "main.nf": direct(),
      "nextflow.config": "params.o = 'x'\nprocess.ext.args = { params.o }\n",
      "a.config": "params.o = 'z'\n",
    },
    words: run("-c", "a.config"),
    out: "1 z",
  },
  {
    name: "values of a params file are there when the configuration is read",
    files: {
      "main.nf": direct(),
      "nextflow.config":
        "params.o = 'x'\nprocess.ext.args = params.o\nprocess.cpus = params.n\nparams.n = 9\n",
      "p.yml": "o: w\nn: 1\n",
    },
    words: run("-params-file", "p.yml"),
    out: "1 w",
  },
  {
    name: "an included file sees the parameters that were set before it",
    files: {
      "main.nf": 'workflow { println "$params.seen $params.o" }\n',
      "nextflow.config": "params.o = 'before'\nincludeConfig 'conf/a.config'\nparams.o = 'after'\n",
      "conf/a.config": "params.seen = params.o\nincludeConfig 'b.config'\n",
      "conf/b.config": "params.o = 'included'\n",
    },
    words: run(),
    out: "before after",
  },
  {
    name: "what is included later wins",
    files: {
      "main.nf": print,
      "nextflow.config": "params.o = 'before'\nincludeConfig params.more ?: 'a.config'\n",
      "a.config": "params { o = 'included' }\n",
    },
    words: run(),
    out: "included",
  },
  {
    name: "a profile wins over what stands before it in the file, and what follows wins over a profile",
    files: {
      "main.nf": 'workflow { println "$params.o $params.p" }\n',
      "nextflow.config": "params.o = 1\nprofiles { one { params { o = 2\n p = 2 } } }\nparams.p = 1\n",
    },
    words: run("-profile", "one"),
    out: "2 1",
  },
  {
    name: "what is read after the profiles is what a profile has set",
    files: {
      "main.nf": 'workflow { println "$params.o $params.p" }\n',
      "nextflow.config": "params.o = 1\nprofiles { one { params.o = 2 } }\nparams.p = params.o\n",
    },
    words: run("-profile", "one"),
    out: "2 2",
  },
  {
    name: "of two profiles the one that stands later in the file wins",
    files: {
      "main.nf": print,
      "nextflow.config": "profiles { a { params.o = 'a' }\n b { params.o = 'b' } }\n",
    },
    words: run("-profile", "b,a"),
    out: "b",
  },
  {
    name: "the strict parser takes profiles in the order of the command line",
    files: {
      "main.nf": print,
      "nextflow.config": "profiles { a { params.o = 'a' }\n b { params.o = 'b' } }\n",
    },
    words: run("-profile", "b,a"),
    env: { NXF_SYNTAX_PARSER: "v2" },
    out: "a",
  },
  {
    name: "without -profile that of the name standard counts",
    files: {
      "main.nf": print,
      "nextflow.config":
        "params.o = 1\nprofiles { standard { params.o = 's' }\n other { params.o = 'x' } }\n",
    },
    words: run(),
    out: "s",
  },
  {
    name: "a profile includes files relative to its file, and sets processes",
    files: {
      "p/main.nf": direct("cpus 1"),
      "p/nextflow.config": "profiles { test { includeConfig 'conf/test.config' } }\n",
      "p/conf/test.config": "params.o = 't'\nprocess { withName: FOO { ext.args = { params.o } } }\n",
    },
    words: ["-q", "run", "p", "-profile", "test"],
    out: "1 t",
  },
  {
    name: "-c wins over profiles, and its own profiles over it",
    files: {
      "main.nf": 'workflow { println "$params.o $params.p" }\n',
      "nextflow.config": "profiles { one { params.o = 'project'\n params.p = 'project' } }\n",
      "a.config": "params.o = 'c'\nparams.p = 'c'\nprofiles { one { params.p = 'profile' } }\n",
    },
    words: run("-profile", "one", "-c", "a.config"),
    out: "c profile",
  },
  {
    name: "scopes are merged, lists and texts replaced",
    files: {
      "main.nf": 'workflow { println "${params.a} ${params.l}" }\n',
      "nextflow.config": "params { a { b = 1\n c { d = 2 } }\n l = [1, 2] }\n",
      "a.config": "params.a.c.e = 3\nparams.l = [3]\n",
    },
    words: run("-c", "a.config"),
    out: "[b:1, c:[d:2, e:3]] [3]",
  },
  {
    name: "a member on the command line leaves the others",
    files: {
      "main.nf": 'workflow { println "${params.a}" }\n',
      "nextflow.config": "params.a = [b: 1, c: 2]\n",
    },
    words: run("--a.b", "5"),
    out: "[b:5, c:2]",
  },
  {
    name: "a setting for all processes fills only what the process leaves open",
    files: { "main.nf": direct("cpus 1"), "nextflow.config": "process { cpus = 2\n ext.args = 'a' }\n" },
    words: run(),
    out: "1 a",
  },
  {
    name: "a label wins over the process, a name over labels",
    files: {
      "main.nf": `${task("label 'big'\n ext args: 'own'")}workflow { FOO() | view }\n`,
      "nextflow.config":
        "process { withName: 'F.*' { ext.args = 'name' }\n withLabel: 'big' { ext.args = 'label'\n ext.x = 1\n cpus = 1 } }\n",
    },
    words: run(),
    out: "1 name",
  },
  {
    name: "the qualified name is tried last, so that a pattern for all wins over a simple name",
    files: {
      "main.nf": nested(),
      "nextflow.config":
        "process { withName: '.*' { ext.args = 'all' }\n withName: 'FOO' { ext.args = 'foo' } }\n",
    },
    words: run(),
    out: "1 all",
  },
  {
    name: "the qualified name wins over a simple one",
    files: {
      "main.nf": nested(),
      "nextflow.config":
        "process { withName: 'W:FOO' { ext.args = 'qualified' }\n withName: 'FOO' { ext.args = 'foo' } }\n",
    },
    words: run(),
    out: "1 qualified",
  },
  {
    name: "in the entry workflow the order of the file counts",
    files: {
      "main.nf": direct(),
      "nextflow.config":
        "process { withName: '.*' { ext.args = 'all' }\n withName: 'FOO' { ext.args = 'foo' } }\n",
    },
    words: run(),
    out: "1 foo",
  },
  {
    name: "an exclamation mark excludes a label, and a process without labels has none",
    files: {
      "main.nf": direct(),
      "nextflow.config": "process { withLabel: '!big' { ext.args = 'small' } }\n",
    },
    words: run(),
    out: "1 small",
  },
  {
    name: "-process.name is a setting for all processes",
    files: {
      "main.nf": direct("ext args: 'own'"),
      "nextflow.config": "process { cpus = 7\n withName: FOO { ext.x = 2 } }\n",
    },
    words: run("-process.cpus", "1"),
    out: "1 own",
  },
  {
    name: "variables of the configuration win over -e, and both reach tasks",
    files: {
      "main.nf": "process FOO { output: stdout\n script: 'printf \"$A $B\"' }\nworkflow { FOO() | view }\n",
      "nextflow.config": "env { A = 'config' }\n",
    },
    words: run("-e.A=line", "-e.B=line"),
    out: "config line",
  },
  {
    name: "configuration reads variables of the environment by three ways",
    files: {
      "main.nf": 'workflow { println "${params.a}${params.b}${params.c}" }\n',
      "nextflow.config": "params.a = System.getenv('MY_O')\nparams.b = env('MY_O')\nparams.c = \"$MY_O\"\n",
    },
    words: run(),
    env: { MY_O: "x" },
    out: "xxx",
  },
  {
    name: "the command line wins over the work folder and the output folder of the configuration",
    files: {
      "main.nf": 'workflow { println "${workflow.workDir.name} ${workflow.outputDir.name}" }\n',
      "nextflow.config": "workDir = 'w1'\noutputDir = 'o1'\n",
    },
    words: run("-w", "w2", "-output-dir", "o2"),
    env: { NXF_WORK: "w3" },
    out: "w2 o2",
  },
  {
    name: "the configuration wins over NXF_WORK",
    files: {
      "main.nf": 'workflow { println "${workflow.workDir.name} ${workflow.outputDir.name}" }\n',
      "nextflow.config": "workDir = 'w1'\noutputDir = 'o1'\n",
    },
    words: run(),
    env: { NXF_WORK: "w3" },
    out: "w1 o1",
  },
];

const show = (...names: readonly string[]) =>
  `workflow { println ${names.map((name) => `"${name}=\${params.${name}} \${params.${name}?.class?.simpleName}"`).join(" + ' ' + ")} }\n`;

export const optionCases: readonly CommandCase[] = [
  {
    name: "--name value, --name=value, --name and negative numbers",
    files: { "main.nf": show("a", "b", "c", "d") },
    words: run("--a", "x y", "--b=1=2", "--c", "--d", "-5"),
    out: "a=x y String b=1=2 String c=true Boolean d=-5 Integer",
  },
  {
    name: "numbers keep their kind",
    files: { "main.nf": show("a", "b", "c", "d", "e") },
    words: run("--a", "3000000000", "--b", "1.0", "--c", "1e3", "--d", "007", "--e", "TRUE"),
    out: "a=3000000000 Long b=1.0 Double c=1e3 String d=7 Integer e=true Boolean",
  },
  {
    name: "NXF_DISABLE_PARAMS_TYPE_DETECTION keeps texts",
    files: { "main.nf": show("a", "b") },
    words: run("--a", "3", "--b", "true"),
    env: { NXF_DISABLE_PARAMS_TYPE_DETECTION: "true" },
    out: "a=3 String b=true String",
  },
  {
    name: "--a-b is aB, and --a.b a member",
    files: {
      "main.nf":
        "workflow { println \"${params.fooBar} ${params.a.b.c} ${params.containsKey('foo-bar')}\" }\n",
    },
    words: run("--foo-bar", "1", "--a.b.c", "2"),
    out: "1 2 false",
  },
  {
    name: "a params file as YAML has typed values, and names of folders are filled in",
    files: {
      "main.nf":
        'workflow { println "${params.i + 1} ${params.l.size()} ${params.m.k} ${params.dir == projectDir.toString()} ${params.n}" }\n',
      "p.yaml": "i: 1\nl: [a, b]\nm:\n  k: v\ndir: ${projectDir}\nn: null\n",
    },
    words: run("-params-file", "p.yaml"),
    out: "2 2 v true null",
  },
  {
    name: "NXF_PARAMS_FILE names a params file",
    files: { "main.nf": script, "p.json": '{"o": "file"}' },
    words: run(),
    env: { NXF_PARAMS_FILE: "p.json" },
    out: "file",
  },
  {
    name: "a params file of another kind is refused",
    files: { "main.nf": script, "p.txt": "o: 1\n" },
    words: run("-params-file", "p.txt"),
    includes: ["Not a valid params file extension: p.txt -- It must be one of the following: json,yml,yaml"],
    code: 1,
  },
  {
    name: "a params file that is not there is refused",
    files: { "main.nf": script },
    words: run("-params-file", "none.yml"),
    includes: ["ERROR ~ Specified params file does not exist: none.yml"],
    code: 1,
  },
  {
    name: "a params file that cannot be parsed is refused",
    files: { "main.nf": script, "p.json": '{"o": ' },
    words: run("-params-file", "p.json"),
    includes: ["Cannot parse params file: p.json"],
    code: 1,
  },
  {
    name: "-entry chooses a workflow by name",
    files: { "main.nf": "workflow A { println 'a' }\nworkflow { println 'main' }\n" },
    words: run("-entry", "A"),
    out: "a",
  },
  {
    name: "an entry that is not there is an error",
    files: { "main.nf": "workflow ALPHA { println 'a' }\nworkflow { println 'main' }\n" },
    words: run("-entry", "ALPHAS"),
    includes: ["Unknown workflow entry name: ALPHAS", "ALPHA"],
    code: 1,
  },
  {
    name: "-main-script and manifest.mainScript choose the script of a folder",
    files: {
      "p/other.nf": "workflow { println 'other' }\n",
      "p/nextflow.config": "manifest.mainScript = 'other.nf'\n",
    },
    words: ["-q", "run", "p"],
    out: "other",
  },
  {
    name: "-name gives the run its name, once",
    files: { "main.nf": "workflow { println workflow.runName }\n" },
    words: run("-name", "my-run_1"),
    out: "my-run_1",
  },
  {
    name: "a name that was used is refused",
    files: { "main.nf": "workflow { println workflow.runName }\n" },
    before: [run("-name", "again")],
    words: run("-name", "again"),
    includes: ["Run name `again` has been already used -- Specify a different one"],
    code: 1,
  },
  {
    name: "a name with other characters is refused",
    files: { "main.nf": "workflow { }\n" },
    words: run("-name", "1 x"),
    includes: ["Not a valid run name: `1 x` -- It must match the pattern"],
    code: 1,
  },
  {
    name: "-stub runs stub blocks",
    files: {
      "main.nf":
        "process FOO { output: stdout\n script: 'printf real'\n stub: 'printf stub' }\nworkflow { FOO() | view }\n",
    },
    words: run("-stub"),
    out: "stub",
  },
  {
    name: "-preview runs no task",
    files: {
      "main.nf":
        "process FOO { output: stdout\n script: 'printf real' }\nworkflow { FOO() | view\n println 'built' }\n",
    },
    words: run("-preview"),
    out: "built",
  },
  {
    name: "words after the script are its arguments",
    files: { "main.nf": "println args.join('|')\n" },
    words: ["-q", "run", "main.nf", "a", "-ansi-log", "false", "b c"],
    out: "a|b c",
  },
  {
    name: "error ends the run with 1 and its message",
    files: { "main.nf": "workflow { error 'too bad' }\n" },
    words: run(),
    includes: ["ERROR ~ too bad"],
    code: 1,
  },
  {
    name: "exit ends the run with its code",
    files: { "main.nf": "workflow { exit 5, 'bye' }\n" },
    words: run(),
    includes: ["bye"],
    code: 5,
  },
  {
    name: "exit 0 is a good end",
    files: { "main.nf": "println 'one'\nexit 0\nprintln 'two'\n" },
    words: run(),
    out: "one",
  },
  {
    name: "System.exit ends the run with its code",
    files: { "main.nf": "println 'one'\nSystem.exit(3)\n" },
    words: run(),
    out: "one",
    code: 3,
  },
  {
    name: "an unknown profile is refused with what is near",
    files: {
      "main.nf": print,
      "nextflow.config": "profiles { docker { params.o = 1 }\n test { params.o = 2 } }\n",
    },
    words: run("-profile", "docke"),
    includes: ["Unknown configuration profile: 'docke'", "Did you mean one of these?", "docker"],
    code: 1,
  },
  {
    name: "an unknown option is refused with what is near",
    files: { "main.nf": print },
    words: run("-with-traces"),
    includes: ["Unknown option: -with-traces", "-with-trace"],
    code: 1,
  },
  {
    name: "a configuration file that is not there is refused",
    files: { "main.nf": print },
    words: run("-c", "none.config"),
    includes: [
      "The specified configuration file does not exist: none.config -- check the name or choose another file",
    ],
    code: 1,
  },
  {
    name: "a broken configuration is shown with its place",
    files: { "main.nf": print, "nextflow.config": "params {\n  o = 1 +\n}\n" },
    words: run(),
    includes: ["nextflow.config:3:1", "^"],
    code: 1,
  },
  {
    name: "a script that is not there is refused",
    files: {},
    words: run(),
    includes: ["Cannot find script file: main.nf"],
    code: 1,
  },
  {
    name: "a folder without a main script is refused",
    files: { "p/readme.md": "x" },
    words: ["-q", "run", "p"],
    includes: ["main.nf"],
    code: 1,
  },
  {
    name: "resume = true in the configuration resumes",
    files: {
      "main.nf": "process FOO { output: stdout\n script: 'printf x' }\nworkflow { FOO() | view }\n",
      "nextflow.config": "resume = true\n",
    },
    before: [["run", "main.nf", "-ansi-log", "false"]],
    words: ["run", "main.nf", "-ansi-log", "false"],
    includes: ["Cached process > FOO"],
  },
  {
    name: "-dump-channels prints what dump sees, by tag",
    files: {
      "main.nf":
        "workflow { channel.of(1, 2).dump(tag: 'foo')\n channel.of('no').dump(tag: 'bar')\n channel.of(3).dump() }\n",
    },
    words: ["run", "main.nf", "-dump-channels", "fo*"],
    includes: ["[DUMP: foo] 1", "[DUMP: foo] 2"],
  },
  {
    name: "-dump-hashes logs what the key of a task consists of",
    files: { "main.nf": "process FOO { output: stdout\n script: 'printf x' }\nworkflow { FOO() | view }\n" },
    words: ["run", "main.nf", "-ansi-log", "false", "-dump-hashes"],
    includes: ["[FOO] cache hash: ", "command"],
  },
  {
    name: "NXF_LOG_FILE and NXF_WORK choose files and folders",
    files: { "main.nf": "workflow { println workflow.workDir.name }\n" },
    words: run(),
    env: { NXF_WORK: "elsewhere", NXF_LOG_FILE: "my.log" },
    out: "elsewhere",
  },
  {
    name: "-version says which language it is",
    files: {},
    words: ["-version"],
    includes: ["N E X T F L O W", "version 2"],
  },
  {
    name: "an unknown command is refused with what is near",
    files: {},
    words: ["rnu", "main.nf"],
    includes: ["Unknown command: rnu", "Did you mean 'run'"],
    code: 1,
  },
  {
    name: "a pipeline with nf-schema prints its help and runs nothing",
    files: {
      "main.nf": "println 'ran'\nworkflow { }\n",
      "nextflow.config":
        "params { help = false\n input = null }\nplugins { id 'nf-schema@2.2.0' }\nvalidation.help { enabled = true\n command = 'nextflow run it' }\n",
      "nextflow_schema.json": JSON.stringify({
        $defs: {
          io: {
            title: "Files",
            properties: {
              input: { type: "string", description: "the samples" },
              secret: { type: "string", hidden: true },
            },
          },
        },
        allOf: [{ $ref: "#/$defs/io" }],
      }),
    },
    words: run("--help"),
    out: [
      "Typical pipeline command:",
      "",
      "  nextflow run it",
      "",
      "Files",
      "  --input  [string]  the samples",
      "",
      "!! Hiding 1 param(s), use the `--showHidden` parameter to show them !!",
    ].join("\n"),
  },
  {
    name: "Channel.fromSamplesheet of the older plugin reads the sheet of a parameter by its schema",
    files: {
      "main.nf":
        "include { validateParameters; fromSamplesheet } from 'plugin/nf-validation'\nworkflow { validateParameters()\n Channel.fromSamplesheet('input').view { meta, n -> \"${meta.id} ${n + 1}\" } }\n",
      "nextflow.config":
        "params { input = null\n validationSchemaIgnoreParams = 'other'\n validationFailUnrecognisedParams = true }\nplugins { id 'nf-validation@1.1.3' }\n",
      "sheet.csv": "sample,n\na,1\nb,2\n",
      "nextflow_schema.json": JSON.stringify({
        definitions: {
          io: { title: "Files", properties: { input: { type: "string", schema: "rows.json" } } },
        },
        allOf: [{ $ref: "#/definitions/io" }],
      }),
      "rows.json": JSON.stringify({
        type: "array",
        items: {
          type: "object",
          properties: { sample: { type: "string", meta: ["id"] }, n: { type: "integer" } },
          required: ["sample"],
        },
      }),
    },
    words: run("--input", "sheet.csv", "--other", "x"),
    out: "a 2\nb 3",
  },
  {
    name: "configuration may print to the standard streams",
    files: {
      "main.nf": "workflow { println 'ran' }\n",
      "nextflow.config": "System.err.println('no institute')\n",
    },
    words: run(),
    out: "WARN: no institute\nran",
  },
  {
    name: "a task that asks for more than the machine has fails in the words of Nextflow",
    files: { "main.nf": direct("cpus 4000") },
    words: run(),
    includes: ["Process requirement exceeds available CPUs -- req: 4000; avail: "],
    code: 1,
  },
  {
    name: "config lists plugins",
    files: { "nextflow.config": "plugins { id 'nf-schema@2.2.0'\n id 'nf-prov' }\n" },
    words: ["config", "-value", "plugins"],
    out: "[nf-schema@2.2.0, nf-prov]",
  },
  {
    name: "params are declared with types",
    files: {
      "main.nf":
        'params {\n n: Integer = 1\n f: Boolean = false\n p: Path\n o: String?\n}\nworkflow { println "${params.n + 1} ${params.f} ${params.p.name} ${params.o}" }\n',
    },
    words: run("--n", "41", "--f", "--p", "x/y.txt"),
    out: "42 true y.txt null",
  },
  {
    name: "a parameter that is not declared is refused",
    files: { "main.nf": "params {\n n: Integer = 1\n}\nworkflow { println params.n }\n" },
    words: run("--m", "41"),
    includes: ["Parameter `m` was specified on the command line", "is not declared"],
    code: 1,
  },
  {
    name: "a required parameter that is missing is refused",
    files: { "main.nf": "params {\n n: Integer\n}\nworkflow { println params.n }\n" },
    words: run(),
    includes: ["Parameter `n` is required but was not specified on the command line, params file, or config"],
    code: 1,
  },
  {
    name: "a parameter of another type is refused",
    files: { "main.nf": "params {\n n: Integer\n}\nworkflow { println params.n }\n" },
    words: run("--n", "many"),
    includes: ["Parameter `n` with type Integer cannot be assigned to many"],
    code: 1,
  },
];
