cwlVersion: v1.2
class: Workflow
doc: Sorts a table and counts its distinct values.
inputs:
  table: File
  column: int
outputs:
  counts:
    type: File
    outputSource: count/counts
steps:
  extract:
    run: extract.cwl
    in: { table: table, column: column }
    out: [values]
  count:
    run: count.cwl
    in: { values: extract/values }
    out: [counts]
