version 1.1
task greet {
  input { String greeting }
  command <<<
    echo ~{greting}
  >>>
  output { String out = read_strng(stdout()) }
}
workflow w {
  input { Array[Stirng] names }
  call gret
  call greet { input: greeting = "hi", nme = "x" }
  call lib.greet as other
  output {
    String a = greet.ouput
    Int n = lenth(names)
  }
}
