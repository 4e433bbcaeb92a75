version 1.0
workflow w {
  Array[Int] xs = [1, 2
  Int y = 3
}
