version 1.1

wrkflow w {
  Int x = 1
}

task t { command {} }
