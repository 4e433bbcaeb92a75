version 1.0
import "source.wdl" as a
task t { command {} }
