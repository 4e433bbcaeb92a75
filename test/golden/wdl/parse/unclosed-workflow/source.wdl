version 1.0
workflow w {
  call t {
    input: x = 1
