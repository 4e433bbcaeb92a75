cwlVersion: v1.2
class: CommandLineTool
doc: Extracts one column of a tab-separated table.
baseCommand: [cut]
inputs:
  column: { type: int, inputBinding: { position: 1, prefix: -f } }
  table: { type: File, inputBinding: { position: 2 } }
outputs:
  values: { type: stdout }
stdout: values.txt
