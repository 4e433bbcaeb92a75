version 1.0
import "c.wdl" as c
task t { command {} }
