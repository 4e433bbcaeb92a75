#!/usr/bin/env -S memoir cwl-runner
cwlVersion: v1.2
class: CommandLineTool
doc: Greets somebody.
inputs:
  name:
    type: string
    default: world
    inputBinding: {}
outputs:
  greeting:
    type: stdout
stdout: greeting.txt
baseCommand: [echo, Hello]
