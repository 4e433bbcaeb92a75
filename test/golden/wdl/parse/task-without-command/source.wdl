version 1.0
task t {
  output { Int x = 1 }
}
