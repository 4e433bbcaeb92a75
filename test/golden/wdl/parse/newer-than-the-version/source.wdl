version 1.0
struct P {
  Int x
}
workflow w {
  P p = P { x: 1 }
  Int? n = None
  Int q = 2 ** 3
  String s = <<<hi>>>
  call t after u { x }
  if (true) {
  } else {
  }
}
enum E { A }
