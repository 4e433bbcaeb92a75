version 1.2
struct S {
  Int x = 3
  paramter_meta {
    x: "an x"
  }
}
