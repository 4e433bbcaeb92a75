version 1.1
struct Sample {
  String id
  Int size
}
task count {
  command <<< >>>
}
