version 1.1
task t {
  command <<<
    ~{}
    ~{sep=", " true="a" false="b" x}
    ~{true="a" x}
    ~{sep=", " sep="; " x}
    ~{default="" sep=" " x}
    ~{x y}
  >>>
}
