version 1.0
task t {
  Int a
  command {}
}
workflow w {
  Int b
  if (true) {
    Int c
  }
}
