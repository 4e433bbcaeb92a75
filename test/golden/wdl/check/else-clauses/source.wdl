version 1.3
enum Color { Red, Green }
workflow w {
  input { Boolean f }
  if (f) {
    Int both = 1
    Int some = 1
    String clash = "a"
  } else if (!f) {
    Int both = 2
    Boolean clash = true
  } else {
    Int both = 3
    Array[Int] clash = []
  }
  Color c = Color.Red
  Color d = Color.Blue
  output {
    Int a = both
    Int b = some
    String v = value(c)
  }
}
