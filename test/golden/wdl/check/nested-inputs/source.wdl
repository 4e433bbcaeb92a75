version 1.2
task t {
  input { Int x }
  command <<< >>>
}
workflow w {
  call t
  hints { allow_nested_inputs: true }
}
