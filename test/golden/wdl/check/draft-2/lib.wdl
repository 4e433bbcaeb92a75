task done {
  command { echo }
  output { String s = read_string(stdout()) }
}
