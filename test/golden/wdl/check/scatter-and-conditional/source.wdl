version 1.1
task t {
  input { Int x }
  command <<< >>>
  output { Int y = x }
}
workflow w {
  scatter (i in 3) { Int a = i }
  scatter (i in [1, 2]) {
    call t { input: x = i }
    if (i > 1) { Int b = t.y }
  }
  if ("yes") { Int c = 1 }
  output {
    Array[Int] ys = t.y
    Int wrong = t.y
    Array[Int?] bs = b
    Int c2 = c
    Int i2 = i
  }
}
