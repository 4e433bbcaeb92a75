version 1.1

task count {
  input {
    File text
  }
  command <<<
    tr -cs '[:alpha:]' '\n' < ~{text} | tr '[:upper:]' '[:lower:]' | sort | uniq -c > table.txt
  >>>
  output {
    File table = "table.txt"
  }
  runtime {
    container: "ubuntu:24.04"
  }
}

task merge {
  input {
    Array[File] tables
    Int most
  }
  command <<<
    cat ~{sep=" " tables} | awk '{ n[$2] += $1 } END { for (w in n) print n[w], w }' \
      | sort -k1,1nr -k2 | head -n ~{most} > top.txt
  >>>
  output {
    File top = "top.txt"
  }
  runtime {
    container: "ubuntu:24.04"
  }
}
