version 1.1

# Two tasks, one after the other: edit one of them and run again to see what is reused.

task greet {
  input {
    String name
  }
  command <<<
    echo "hello ~{name}" > greeting.txt
  >>>
  output {
    File greeting = "greeting.txt"
  }
}

task shout {
  input {
    File text
  }
  command <<<
    tr a-z A-Z < ~{text}
  >>>
  output {
    File shouted = stdout()
  }
}

workflow hello {
  input {
    String name
  }
  call greet { input: name = name }
  call shout { input: text = greet.greeting }
  output {
    String message = read_string(shout.shouted)
    File shouted = shout.shouted
  }
}
