cwlVersion: v1.2
class: CommandLineTool
doc: Counts equal lines.
requirements:
  ShellCommandRequirement: {}
baseCommand: [sort]
arguments: [{ position: 2, valueFrom: "| uniq -c", shellQuote: false }]
inputs:
  values: { type: File, inputBinding: { position: 1 } }
outputs:
  counts: { type: stdout }
stdout: counts.txt
