version 1.0
workflow w {
}
}
task t { command {} }
