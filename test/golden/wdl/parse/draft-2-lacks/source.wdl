struct P { Int x }
task t {
  input { Int x }
  command { echo ${x} }
}
