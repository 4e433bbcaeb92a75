version 1.1
task t {
  input {
    Int? n
    String? s
  }
  Int m = n
  Int k = n + 1
  Int fine = select_first([n, 1])
  command <<<
    echo ~{"--n " + n} ~{n} ~{s + "x"}
  >>>
  output {
    Boolean b = n == 3
    String u = s + "x"
  }
}
