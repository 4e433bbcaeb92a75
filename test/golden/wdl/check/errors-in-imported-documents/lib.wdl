version 1.0
task t {
  input { Sting x }
  command { echo ~{y} }
}
