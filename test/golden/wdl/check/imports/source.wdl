version 1.1
import "lib.wdl"
import "lib.wdl" as again
import "other.wdl" as lib
import "absent.wdl"
import "lib.wdl" as third alias Sample as Probe alias Nothing as Something
import "my-tasks.wdl"
workflow w {
  call lib.count
  call lib.cuont as c2
  call absent.anything
  Absent a = 1
  Probe p = Probe { id: "x", size: 1 }
  Sample s = p
}
