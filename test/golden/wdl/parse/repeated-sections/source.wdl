version 1.0
task t {
  input { Int a }
  input { Int b }
  command {}
  command {}
  runtime {}
  runtime {}
}
