version 1.1

import "tasks/words.wdl" as words

workflow word_counts {
  input {
    Array[File] texts
    Int most = 2
  }
  scatter (text in texts) {
    call words.count { input: text = text }
  }
  call words.merge { input: tables = count.table, most = most }
  output {
    Array[String] top = read_lines(merge.top)
  }
}
