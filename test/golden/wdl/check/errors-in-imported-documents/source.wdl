version 1.0
import "lib.wdl" as lib
workflow w {
  call lib.t { input: x = 1 }
}
