/**
 * Molecules to try models with: well-known ones, written down here, followed by simple derivatives that are made by
 * putting common substituents on common ring systems. A test reads every one of them with RDKit.
 */

/** Solvents, metabolites, natural products and drugs. */
const knownMolecules = `
O C CC CCC CCO CO CCCO CC(C)O CCCCO CC(C)(C)O OCCO OCC(O)CO CC(=O)C CCC(=O)C C1CCOC1 C1COCCO1 CCOCC COC(C)(C)C
CCOC(C)=O COC(C)=O CC(=O)O O=CO CCC(=O)O CCCC(=O)O CC#N CN(C)C=O CC(=O)N(C)C CS(C)=O C[N+](=O)[O-] ClCCl ClC(Cl)Cl
ClC(Cl)(Cl)Cl ClCCCl CCCCC CCCCCC CCCCCCC CCCCCCCC C1CCCCC1 C1CCCC1 c1ccccc1 Cc1ccccc1 Cc1ccccc1C Cc1ccc(C)cc1
CCc1ccccc1 C=Cc1ccccc1 Clc1ccccc1 Fc1ccccc1 Brc1ccccc1 Ic1ccccc1 Oc1ccccc1 Nc1ccccc1 COc1ccccc1 O=Cc1ccccc1
CC(=O)c1ccccc1 OC(=O)c1ccccc1 NC(=O)c1ccccc1 N#Cc1ccccc1 O=[N+]([O-])c1ccccc1 OCc1ccccc1 NCc1ccccc1 c1ccncc1
Cc1ccccn1 c1ccc2ncccc2c1 c1ccc2cnccc2c1 c1ccc2[nH]ccc2c1 c1ccc2occc2c1 c1ccc2sccc2c1 c1ccoc1 c1ccsc1 c1cc[nH]c1
c1c[nH]cn1 c1cn[nH]c1 c1cscn1 c1cocn1 c1ccnnc1 c1cncnc1 c1cnccn1 c1ncncn1 C1CCNCC1 C1COCCN1 C1CNCCN1 C1CCNC1
c1ccc2ccccc2c1 c1ccc2cc3ccccc3cc2c1 c1ccc2c(c1)ccc1ccccc12 c1ccc(-c2ccccc2)cc1 c1ccc2c(c1)[nH]c1ccccc12
NCC(=O)O CC(N)C(=O)O C[C@H](N)C(=O)O CC(C)[C@H](N)C(=O)O CC(C)C[C@H](N)C(=O)O CC[C@H](C)[C@H](N)C(=O)O
N[C@@H](Cc1ccccc1)C(=O)O N[C@@H](Cc1ccc(O)cc1)C(=O)O N[C@@H](Cc1c[nH]c2ccccc12)C(=O)O N[C@@H](CO)C(=O)O
C[C@@H](O)[C@H](N)C(=O)O N[C@@H](CS)C(=O)O CSCC[C@H](N)C(=O)O N[C@@H](CC(=O)O)C(=O)O N[C@@H](CCC(=O)O)C(=O)O
NC(=O)C[C@H](N)C(=O)O NC(=O)CC[C@H](N)C(=O)O NCCCC[C@H](N)C(=O)O N=C(N)NCCC[C@H](N)C(=O)O
N[C@@H](Cc1c[nH]cn1)C(=O)O OC(=O)[C@@H]1CCCN1 NCCc1ccc(O)c(O)c1 NCCc1c[nH]c2ccc(O)cc12 CNC[C@H](O)c1ccc(O)c(O)c1
NC[C@H](O)c1ccc(O)c(O)c1 NCCc1c[nH]cn1 CC(=O)OCC[N+](C)(C)C NCCCC(=O)O NCCS(=O)(=O)O OC(=O)CCC(=O)O
OC(=O)/C=C/C(=O)O OC(=O)/C=C\\C(=O)O OC(=O)CC(O)(CC(=O)O)C(=O)O CC(O)C(=O)O CC(=O)C(=O)O OC(=O)C(O)C(O)C(=O)O
NC(N)=O NC(=N)N OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O OC[C@@H](O)[C@@H](O)[C@H](O)[C@H](O)CO
OC[C@H]1O[C@@](CO)(O[C@H]2O[C@H](CO)[C@@H](O)[C@H](O)[C@H]2O)[C@@H](O)[C@@H]1O O=c1cc[nH]c(=O)[nH]1
Cc1c[nH]c(=O)[nH]c1=O Nc1cc[nH]c(=O)n1 Nc1ncnc2[nH]cnc12 Nc1nc2[nH]cnc2c(=O)[nH]1 O=c1[nH]cnc2[nH]cnc12
O=c1[nH]c(=O)c2[nH]c(=O)[nH]c2[nH]1 Cn1cnc2c1c(=O)n(C)c(=O)n2C Cn1c(=O)c2[nH]cnc2n(C)c1=O Cn1cnc2c1c(=O)[nH]c(=O)n2C
OC[C@H]1O[C@@H](n2cnc3c(N)ncnc32)[C@H](O)[C@@H]1O OC(=O)c1cccnc1 NC(=O)c1cccnc1 OC(=O)CCCC[C@@H]1SC[C@@H]2NC(=O)N[C@H]12
OC[C@H](O)[C@H]1OC(=O)C(O)=C1O Cc1ncc(CO)c(CO)c1O CC1=C(C)C(=O)C(C)=C(C)C1=O CC(C)=CCCC(C)=CCO CC(=CCO)CCC=C(C)C
CC(C)=CCCC(C)=CC=O CC1=CCC(CC1)C(C)=C CC(C)[C@@H]1CC[C@@H](C)C[C@H]1O CC1(C)C2CCC1(C)C(=O)C2 CC(C)c1ccc(C)cc1O
C=CCc1ccc(O)c(OC)c1 COc1cc(C=O)ccc1O O=C/C=C/c1ccccc1 OC(=O)/C=C/c1ccccc1 O=c1ccc2ccccc2o1 O=c1cc(-c2ccccc2)oc2ccccc12
Oc1cc(O)c2c(c1)oc(-c1ccc(O)c(O)c1)c(O)c2=O Oc1ccc(/C=C/c2cc(O)cc(O)c2)cc1 COc1cc(/C=C/C(=O)CC(=O)/C=C/c2ccc(O)c(OC)c2)ccc1O
COc1cc(CNC(=O)CCCC/C=C/C(C)C)ccc1O CN1CCC[C@H]1c1cccnc1 CN1[C@H]2CC[C@@H]1[C@@H](C(=O)OC)[C@@H](OC(=O)c1ccccc1)C2
CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5 CN1CC[C@]23c4c5ccc(OC)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5
COc1ccc2nccc([C@@H](O)[C@@H]3C[C@@H]4CCN3C[C@@H]4C=C)c2c1 CN1C2CCC1CC(OC(=O)C(CO)c1ccccc1)C2
CC(C)CCCC(C)C1CCC2C3CC=C4CC(O)CCC4(C)C3CCC12C CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O CC12CCC3c4ccc(O)cc4CCC3C1CCC2O
CC(=O)C1CCC2C3CCC4=CC(=O)CCC4(C)C3CCC12C CC12CC(O)C3C(CCC4=CC(=O)CCC34C)C1CCC2(O)C(=O)CO
CCCCCCCCCCCC(=O)O CCCCCCCCCCCCCCCC(=O)O CCCCCCCCCCCCCCCCCC(=O)O CCCCCCCC/C=C\\CCCCCCCC(=O)O CCCCC/C=C\\C/C=C\\CCCCCCCC(=O)O
CC(=O)Oc1ccccc1C(=O)O OC(=O)c1ccccc1O COC(=O)c1ccccc1O CC(=O)Nc1ccc(O)cc1 CC(C)Cc1ccc(cc1)C(C)C(=O)O
COc1ccc2cc([C@H](C)C(=O)O)ccc2c1 OC(=O)Cc1ccccc1Nc1c(Cl)cccc1Cl Cc1cccc(Nc2ccccc2C(=O)O)c1C CC(C(=O)O)c1cccc(C(=O)c2ccccc2)c1
COc1ccc2c(c1)c(CC(=O)O)c(C)n2C(=O)c1ccc(Cl)cc1 Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1
CN1C(C(=O)Nc2ccccn2)=C(O)c2ccccc2S1(=O)=O CN(C)C(=N)NC(N)=N CCN(CC)CCNC(=O)c1ccc(N)cc1 CCN(CC)CC(=O)Nc1c(C)cccc1C
CCCCNc1ccc(C(=O)OCCN(C)C)cc1 CCOC(=O)c1ccc(N)cc1 CC(C)NCC(O)COc1cccc2ccccc12 CC(C)NCC(O)COc1ccc(CC(N)=O)cc1
COCCc1ccc(OCC(O)CNC(C)C)cc1 CC(C)(C)NCC(O)c1ccc(O)c(CO)c1 CCOC(=O)C1=C(COCCN)NC(C)=C(C(=O)OC)C1c1ccccc1Cl
COC(=O)C1=C(C)NC(C)=C(C(=O)OC)C1c1ccccc1[N+](=O)[O-] C[C@H](CS)C(=O)N1CCC[C@H]1C(=O)O
NCCCC[C@H](N[C@@H](CCc1ccccc1)C(=O)O)C(=O)N1CCC[C@H]1C(=O)O CCCCc1nc(Cl)c(CO)n1Cc1ccc(-c2ccccc2-c2nnn[nH]2)cc1
NS(=O)(=O)c1cc2c(cc1Cl)NCNS2(=O)=O NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl CC(=O)CC(c1ccccc1)c1c(O)c2ccccc2oc1=O
COC(=O)C(c1ccccc1Cl)N1CCc2sccc2C1 CC(C)(Oc1ccc(cc1)C(=O)c1ccc(Cl)cc1)C(=O)OC(C)C
CCC(C)(C)C(=O)OC1CC(C)C=C2C=CC(C)C(CCC3CC(O)CC(=O)O3)C12 CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21
OC1N=C(c2ccccc2)c2cc(Cl)ccc2NC1=O CC1=NN=C2CN=C(c3ccccc3)c3cc(Cl)ccc3N12 CCC1(c2ccccc2)C(=O)NC(=O)NC1=O
O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1 NC(=O)N1c2ccccc2C=Cc2ccccc21 CCCC(CCC)C(=O)O NCC1(CC(=O)O)CCCCC1
Nc1nnc(-c2cccc(Cl)c2Cl)c(N)n1 CNCCC(Oc1ccc(C(F)(F)F)cc1)c1ccccc1 CN[C@H]1CC[C@@H](c2ccc(Cl)c(Cl)c2)c2ccccc21
CN(C)CCCC1(c2ccc(F)cc2)OCc2cc(C#N)ccc21 CNCC[C@H](Oc1cccc2ccccc12)c1cccs1 CN(C)CC(c1ccc(OC)cc1)C1(O)CCCCC1
CC(NC(C)(C)C)C(=O)c1cccc(Cl)c1 CN(C)CCC=C1c2ccccc2CCc2ccccc21 CN(C)CCCN1c2ccccc2CCc2ccccc21
CN(C)CCCN1c2ccccc2Sc2ccc(Cl)cc21 O=C(CCCN1CCC(O)(c2ccc(Cl)cc2)CC1)c1ccc(F)cc1
Cc1nc2n(c(=O)c1CCN1CCC(c3noc4cc(F)ccc34)CC1)CCCC2 Cc1cc2c(s1)Nc1ccccc1N=C2N1CCN(C)CC1
O=C1CCc2ccc(OCCCCN3CCN(c4cccc(Cl)c4Cl)CC3)cc2N1 CC(N)Cc1ccccc1 CNC(C)Cc1ccccc1 COC(=O)C(c1ccccc1)C1CCCCN1
NC12CC3CC(CC(C3)C1)C2 CC12CC3CC(C)(C1)CC(N)(C3)C2 COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2
CN(C)CCOC(c1ccccc1)c1ccccc1 CN(C)CCC(c1ccc(Cl)cc1)c1ccccn1 OC(=O)COCCN1CCN(C(c2ccccc2)c2ccc(Cl)cc2)CC1
CCOC(=O)N1CCC(=C2c3ccc(Cl)cc3CCc3cccnc32)CC1 CN/C(=C\\[N+](=O)[O-])NCCSCc1ccc(CN(C)C)o1
COc1ccc2[nH]c(S(=O)Cc3ncc(C)c(OC)c3C)nc2c1 CCN(CC)CCNC(=O)c1cc(Cl)c(N)cc1OC CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O
CC1(C)S[C@@H]2[C@H](NC(=O)[C@H](N)c3ccc(O)cc3)C(=O)N2[C@H]1C(=O)O CC1=C(C(=O)O)N2C(=O)[C@@H](NC(=O)[C@H](N)c3ccccc3)[C@H]2SC1
O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O CCn1cc(C(=O)O)c(=O)c2cc(F)c(N3CCNCC3)cc21 Cc1ncc([N+](=O)[O-])n1CCO
COc1cc(Cc2cnc(N)nc2N)cc(OC)c1OC Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1 Nc1ccc(S(N)(=O)=O)cc1 Nc1ccc(S(=O)(=O)c2ccc(N)cc2)cc1
OC[C@@H](NC(=O)C(Cl)Cl)[C@H](O)c1ccc([N+](=O)[O-])cc1 CC(=O)NC[C@H]1CN(c2ccc(N3CCOCC3)c(F)c2)C(=O)O1
NNC(=O)c1ccncc1 NC(=O)c1cnccn1 CC[C@@H](CO)NCCN[C@@H](CC)CO CCc1cc(C(N)=S)ccn1 CCN(CC)CCCC(C)Nc1ccnc2cc(Cl)ccc12
COc1cc(NC(C)CCCN)c2ncccc2c1 O[C@@H](c1cc(C(F)(F)F)nc2c(C(F)(F)F)cccc12)[C@@H]1CCCCN1
CCc1nc(N)nc(N)c1-c1ccc(Cl)cc1 CC(C)NC(=N)NC(=N)Nc1ccc(Cl)cc1 C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4
OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F Clc1ccc(COC(Cn2ccnc2)c2ccc(Cl)cc2Cl)c(Cl)c1 CN(CC=CC#CC(C)(C)C)Cc1cccc2ccccc12
Nc1nc(=O)n([C@@H]2CS[C@H](CO)O2)cc1 Cc1cn([C@H]2C[C@H](N=[N+]=[N-])[C@@H](CO)O2)c(=O)[nH]c1=O Nc1nc2c(ncn2COCCO)c(=O)[nH]1
CCOC(=O)C1=C[C@@H](OC(CC)CC)[C@H](NC(C)=O)[C@@H](N)C1 NC(=O)c1ncn([C@@H]2O[C@H](CO)[C@@H](O)[C@H]2O)n1
Cc1ccnc2c1NC(=O)c1cccnc1N2C1CC1 O=C1O[C@](C#CC2CC2)(C(F)(F)F)c2cc(Cl)ccc2N1
O=c1[nH]cc(F)c(=O)[nH]1 S=c1[nH]cnc2nc[nH]c12 CN(Cc1cnc2nc(N)nc(N)c2n1)c1ccc(C(=O)N[C@@H](CCC(=O)O)C(=O)O)cc1
ClCCN(CCCl)P1(=O)NCCCO1 Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1
COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1 C#Cc1cccc(Nc2ncnc3cc(OCCOC)c(OCCOC)cc23)c1
CNC(=O)c1cc(Oc2ccc(NC(=O)Nc3ccc(Cl)c(C(F)(F)F)c3)cc2)ccn1 CCC(=C(c1ccccc1)c1ccc(OCCN(C)C)cc1)c1ccccc1
CC(C)(C#N)c1cc(Cn2cncn2)cc(C(C)(C)C#N)c1 CC(O)(CS(=O)(=O)c1ccc(F)cc1)C(=O)Nc1ccc(C#N)c(C(F)(F)F)c1
CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(S(=O)(=O)N2CCN(C)CC2)ccc1OCC CN1CC(=O)N2[C@H](Cc3c([nH]c4ccccc34)[C@H]2c2ccc3c(c2)OCO3)C1=O
N[C@@H](CC(=O)N1CCn2c(C1)nnc2C(F)(F)F)Cc1cc(F)c(F)cc1F CC(C)c1nc(N(C)S(C)(=O)=O)nc(-c2ccc(F)cc2)c1/C=C/[C@@H](O)C[C@@H](O)CC(=O)O
COc1ccc(CCN(C)CCCC(C#N)(C(C)C)c2ccc(OC)c(OC)c2)cc1OC CN(C)CCc1c[nH]c2ccc(CS(=O)(=O)N3CCCC3)cc12
CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1 Clc1cccc(Cl)c1NC1=NCCN1 COC(=O)[C@H](Cc1ccccc1)NC(=O)[C@@H](N)CC(=O)O
O=C1NS(=O)(=O)c2ccccc12 [Na+].[Cl-] CCOP(=S)(OCC)Oc1ccc([N+](=O)[O-])cc1 CC(=O)NCCc1c[nH]c2ccc(OC)cc12
OC(=O)COc1ccc(Cl)cc1Cl CCNc1nc(Cl)nc(NC(C)C)n1 OC(=O)CNCP(=O)(O)O Clc1ccc(C(c2ccc(Cl)cc2)C(Cl)(Cl)Cl)cc1
`;

/** `R` marks where a substituent goes. */
const ringSystems = `
c1ccc(R)cc1 Cc1ccc(R)cc1 Clc1ccc(R)cc1 Fc1ccc(R)cc1 COc1ccc(R)cc1 Clc1cccc(R)c1 Cc1cccc(R)c1 FC(F)(F)c1ccc(R)cc1
N#Cc1ccc(R)cc1 Oc1ccc(R)cc1 Nc1ccc(R)cc1 c1ccnc(R)c1 c1cncc(R)c1 c1cc(R)ccn1 c1cnc(R)nc1 c1ncc(R)cn1 c1cnc(R)cn1
c1csc(R)c1 c1cc(R)cs1 c1coc(R)c1 c1cnc(R)s1 Cn1ccc(R)n1 Cn1cnc(R)c1 c1ccc2cc(R)ccc2c1 c1ccc2c(R)cccc2c1
c1ccc2nc(R)ccc2c1 c1cnc2cc(R)ccc2c1 c1ccc2[nH]c(R)cc2c1 Cn1cc(R)c2ccccc12 c1ccc2oc(R)cc2c1 c1ccc2sc(R)nc2c1
c1ccc2[nH]c(R)nc2c1 c1ccc(-c2ccc(R)cc2)cc1 c1ccc(Oc2ccc(R)cc2)cc1 c1ccc(Cc2ccc(R)cc2)cc1 C1CCC(R)CC1 C1CCC(R)C1
CN1CCC(R)CC1 C1COCC(R)O1 CC(=O)N1CCC(R)CC1 c1ccc(CN2CCC(R)CC2)cc1 C1CC(R)C1 CS(=O)(=O)c1ccc(R)cc1
CC(=O)Nc1ccc(R)cc1 c1ccc2c(c1)OCC(R)O2 Clc1ccc(R)c(Cl)c1 Fc1ccc(R)c(F)c1 COc1ccc(R)cc1OC c1cc2ncc(R)cn2n1
O=C1CCCN1c1ccc(R)cc1
`;

const substituents = `
F Cl Br C CC CCC C(C)C CCCC C(C)(C)C C1CC1 C=C C#C O OC OCC OC(C)C OC(F)F OC(F)(F)F C(F)(F)F C(F)F C#N N NC N(C)C
NC(C)=O NC(=O)CC NS(C)(=O)=O NC(=O)c1ccccc1 NC(N)=O C=O C(C)=O C(=O)O C(=O)OC C(=O)OCC C(N)=O C(=O)NC C(=O)N(C)C
C(=O)NC1CC1 C(=O)NCc1ccccc1 C(=O)N1CCCC1 C(=O)N1CCOCC1 C(=O)N1CCN(C)CC1 S(N)(=O)=O S(C)(=O)=O S(=O)(=O)NC
S(=O)(=O)N1CCCC1 SC [N+](=O)[O-] CO CCO CN CN(C)C CN1CCCC1 CN1CCOCC1 CN1CCN(C)CC1 CCN CCN(C)C CC(=O)O CC(N)=O
CC#N COC OCCO OCCN(C)C OCC(=O)O OCc1ccccc1 Oc1ccccc1 N1CCCC1 N1CCCCC1 N1CCOCC1 N1CCNCC1 N1CCN(C)CC1 n1cccn1
n1ccnc1 n1cncn1 c1ccccc1 c1ccncc1 c1cccnc1 c1ccc(F)cc1 c1ccc(Cl)cc1 c1ccc(OC)cc1 c1cn[nH]c1 c1nnn[nH]1 c1ccco1
c1cccs1 Cc1ccccc1 Cc1ccc(F)cc1 C1CCCCC1 C1CCNCC1 C(O)C C(O)c1ccccc1 C(=O)c1ccccc1 NCc1ccccc1 Nc1ccccc1
C(=O)NO C(=O)NN N=C(N)N C(=N)N OS(C)(=O)=O P(=O)(O)O B(O)O CCC(=O)O
`;

/** All of them, always in the same order, no two of the same text. */
export function exampleMolecules(): readonly string[] {
  const derivatives = splitWords(substituents).flatMap((substituent) =>
    splitWords(ringSystems).map((ring) => ring.replace("(R)", `(${ringsApart(substituent)})`)),
  );
  return [...new Set([...splitWords(knownMolecules), ...derivatives])];
}

/** Ring closures 1 and 2 of a substituent must not meet those of the ring system that is still open there. */
function ringsApart(substituent: string): string {
  // Charges and hydrogen counts in brackets are not ring closures.
  return substituent.replace(/\[[^\]]*\]|[1-4]/g, (text) =>
    text.startsWith("[") ? text : String(Number(text) + 4),
  );
}

function splitWords(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
