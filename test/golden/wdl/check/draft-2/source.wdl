import "lib.wdl" as lib
task t {
  Int x
  String? flag
  command {
    echo ${x} ${"--flag " + flag}
  }
  output { Int out = read_int(stdout()) }
  runtime { docker: "ubuntu:20.04" }
}
workflow w {
  Array[Int] xs
  scatter (x in xs) { call t { input: x = x } }
  call lib.done
  output {
    t.out
    done.*
    t.nothing
  }
}
