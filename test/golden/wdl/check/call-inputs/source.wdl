version 1.1
task t {
  input {
    Int x
    String y
    Int z = 3
  }
  Int hidden = 1
  command <<< echo ~{x} ~{y} ~{z} ~{hidden} >>>
  output { Int out = 1 }
}
workflow w {
  call t as missing { input: x = 1 }
  call t as twice { input: x = 1, y = "a", x = 2 }
  call t as wrong { input: x = "one", y = "a" }
  call t as private { input: x = 1, y = "a", hidden = 2 }
  call t as fine after missing { input: x = 1, y = "a", z = None }
  call t as late after nobody { input: x = fine.out, y = "a" }
}
