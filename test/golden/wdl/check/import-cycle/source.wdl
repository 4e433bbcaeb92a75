version 1.0
import "b.wdl" as b
workflow a {
  call b.t
}
