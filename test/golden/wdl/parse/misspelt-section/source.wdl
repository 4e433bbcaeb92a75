version 1.1

task t {
  inptu {
    Int x
  }
  command <<<
    echo ~{1 +}
  >>>
}
