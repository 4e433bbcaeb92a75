version 1.0
task t {
  command {}
  meta {
    a: "x",
    b: [1, 2.5, true, null]
    c: { d: -1 }
    e: 1 + 2
    f: "~{not} a placeholder"
  }
}
