params.name = 'world'

process GREET {
  input: val name
  output: stdout

  script:
  "echo Hello $name"
}

workflow {
  GREET(params.name) | view { it.trim() }
}
