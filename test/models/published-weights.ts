/** Published answers of eos3b5e: key, input, value. */
export const weights = [
  ["3f5892589d67cac9d543eab44f5a37b8", "Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1", 318.336],
  ["a9d900084af04c6480c18dff5b552db5", "C1=CN=CC=C1C(=O)NN", 137.14199999999997],
  ["fcb5f55f8d085bcd27fa0608ae09f3b5", "CC(CN1C=NC2=C(N=CN=C21)N)OCP(=O)(O)O", 287.21599999999995],
  ["47029b0a89b677c61d67c3a1b1071f07", "CCO", 46.069],
  ["defb99e69a9f1f6e06f15006b1f166ae", "CCC", 44.096999999999994],
  ["dcb1c29255ec9645f8be15096fae7b93", "OCC", 46.069],
  ["47029b0a89b677c61d67c3a1b1071f07", "CCO", 46.069],
  ["c812c621d766ed40233f5cf3605f87ed", "CN1CCc2cccc-3c2[C@H]1Cc1ccc(O)c(O)c-31", 267.328],
  ["329930df70e39b10f80bdc30da3c1ae3", "COc1ccc(cc1OC1CCCC1)[C@@H]1CNC(=O)C1", 275.348],
  ["3854d96386b9c0b059540001b022950e", "COC(=O)C1=CC=CC2=C1C(=O)C1=CC([N+](=O)[O-])=CC=C21", 283.239],
  ["ea0366f4a29a2307e2bd259a8bcc270d", "CN(C)CCC1=CN(C)C2=CC=C(O)C=C12", 218.3],
] as const;
