version 1.0
task t {
  input { Int a }
  Int a = 1
  command {}
  output { Int a = 2 }
}
task t { command {} }
workflow w {
  Int x = 1
  call t
  scatter (i in [1]) {
    Int x = i
    call t
    scatter (i in [2]) { Int y = i }
  }
  call t as w
  if (true) { Int z = 1 }
  Int z = 2
}
workflow v {}
