version 1.1
struct P { String name }
workflow w {
  P p = P { "name": "Ada" }
}
