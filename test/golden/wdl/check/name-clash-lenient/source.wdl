version 1.0
task w { command {} }
workflow w {
  call w
}
