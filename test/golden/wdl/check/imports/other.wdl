version 1.0
struct Sample {
  String id
}
task other { command {} }
