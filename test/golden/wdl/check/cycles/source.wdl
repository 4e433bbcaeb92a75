version 1.1
struct A { B b }
struct B { Array[A] as }
task t {
  input { Int x = y }
  Int y = z
  Int z = x
  command <<< >>>
  output {
    Int p = q
    Int q = p
  }
}
workflow w {
  input { Int i = j + 1 }
  Int j = u.p - 2
  call t as u { input: x = i }
  scatter (n in ys) { Int xs = n }
  scatter (n in xs) { Int ys = n }
}
