version 1.2
task t {
  input { Int n }
  command <<< >>>
  requirements {
    container: true
    cpu: n
    memmory: "4 GiB"
    memory: [1]
    return_codes: [0, 1]
  }
  hints {
    anything: "goes"
    inputs: input { n: hints { localization_optional: true } }
  }
}
task u {
  command <<< >>>
  runtime { docker: "ubuntu" }
  hints { max_cpu: 2 }
}
task v {
  command <<< ~{task.name} ~{task.nmae} >>>
  output { Int? rc = task.return_code }
}
