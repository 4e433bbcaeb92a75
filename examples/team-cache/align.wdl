version 1.1

task align {
  input {
    String sample
  }
  command <<<
    echo "aligned ~{sample}" > aligned.txt
  >>>
  output {
    String result = read_string("aligned.txt")
  }
}
