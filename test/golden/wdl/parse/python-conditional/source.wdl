version 1.1
workflow w {
  Int a = 1 if true else 2
  Int b = 3
}
