version 1.1

task a {
  input {
    String name = "unclosed
    Int count = 3 +
  }
  command <<<
    echo ~{name
  >>>
  output {
    Array[String out = read_lines(stdout())
    Int n
  }
}

workflow w {
  call a { input: name "x", count = 1 }
  scatter x in [1, 2] {
    Int y = x *
  }
  output {
    Int z = if true then 1
  }
}
