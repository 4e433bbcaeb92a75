version 1.1
workflow w {
  Int a = "one"
  Int b = 1.5
  Int c = "3"
  Boolean d = 1
  Array[Int] e = [1, "two"]
  Map[String, Int] f = {"a": 1, "a": 2}
  Pair[Int, String] g = (1, 2)
  Int h = if true then 1 else "x"
  Int i = 1 + true
  Boolean j = !3
  Boolean k = 1 && true
  Int l = g.middle
  Int m = a.x
  Int n = a[0]
  Array[Int]+ o = []
  String p = "~{e} and ~{f}"
}
