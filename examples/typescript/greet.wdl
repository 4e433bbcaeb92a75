version 1.1

task shout {
  input {
    String name
  }
  command <<<
    echo "HELLO ~{name}"
  >>>
  output {
    String text = read_string(stdout())
  }
}

workflow greet {
  input {
    Array[String] names
  }
  scatter (name in names) {
    call shout { input: name = name }
  }
  output {
    Array[String] all = shout.text
  }
}
