version 1.2
workflow task {
  Int call = 1
  Int Directory = 2
  Int _x = 3
  Int left = 4
}
