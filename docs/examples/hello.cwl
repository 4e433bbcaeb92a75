cwlVersion: v1.2
class: CommandLineTool
doc: Says hello.
baseCommand: echo
arguments: [Hello, $(inputs.name)]
stdout: hello.txt
inputs:
  name: {type: string, default: world}
outputs:
  greeting: stdout
