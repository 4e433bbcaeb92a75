version 1.0
workflow w {
  Int a = 1;
  Int b = 2 & 3
  Int c = @4
  Int é = 5
}
