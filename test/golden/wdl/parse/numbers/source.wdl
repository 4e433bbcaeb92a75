version 1.1
workflow w {
  Int a = 9223372036854775807
  Int b = -9223372036854775808
  Int c = 9223372036854775809
  Int d = 089
  Int e = 0xff
  Int f = 0o17
  Float g = 1.5e-3
  Float h = .5
}
