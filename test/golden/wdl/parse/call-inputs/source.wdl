version 1.0
workflow w {
  call t { x = 1 }
  call u { input: x = 1 y = 2 }
  call v { input: x }
}
