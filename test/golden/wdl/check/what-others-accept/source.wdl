version 1.0
task t {
  input {
    Array[File] files
    Boolean? flag
    Map[String, Int] m = read_map("x")
  }
  Array[Int] numbers = read_lines("y")
  String s = 3
  command <<<
    cat ~{sep=" " files} ~{true="--flag" false="" flag} ~{default="none" flag}
    ~{sep=',' prefix("-i ", files)} ~{if defined(flag) then "yes" else "no"}
  >>>
  runtime { docker: "ubuntu" preemptible: 2 disks: "local-disk 10 HDD" }
  parameter_meta { files: { description: "the files" } nothing: "?" }
  output { File out = "x" Array[File] all = glob("*.txt") }
}
workflow w {
  input { Array[File] files }
  call t { input: files = files, flag = true }
  output { File out = t.out }
  meta { allowNestedInputs: true }
}
