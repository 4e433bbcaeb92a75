version 1.1
workflow w {
  Array[Int] a = range("x", 2)
  Float b = floor([1])
  Int c = length(3)
  String d = sep(",", [[1]])
  Array[String] e = prefix("-i ", [1, 2])
  Int f = min(1, 2.5)
  Array[Pair[Int, String]] g = zip([1, 2], ["a", "b"])
  Map[String, Array[Int]] h = collect_by_key([("a", 1)])
  String i = select_first([None, "x"])
  Boolean j = contains(["a"], "a")
  File k = stdout()
}
