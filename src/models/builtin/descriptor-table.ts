/** The columns of the built-in descriptor model and the toolkit's names for them. */
import type { Column, ColumnType } from "../../task/index.ts";

interface DescriptorRow {
  /** The toolkit's name. */
  readonly key: string;
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
}

const float = (key: string, name: string, description: string): DescriptorRow => ({
  key,
  name,
  type: "float",
  description,
});
const count = (key: string, name: string, description: string): DescriptorRow => ({
  key,
  name,
  type: "integer",
  description,
});

export const descriptorTable: readonly DescriptorRow[] = [
  float("amw", "mol_weight", "Average molecular weight in g/mol"),
  float("exactmw", "exact_mol_weight", "Mass of the molecule of the most common isotopes in g/mol"),
  count("NumHeavyAtoms", "heavy_atoms", "Atoms that are not hydrogen"),
  count("NumAtoms", "atoms", "Atoms with all hydrogens"),
  count("NumHeteroatoms", "heteroatoms", "Atoms that are neither carbon nor hydrogen"),
  count("lipinskiHBA", "lipinski_hba", "Hydrogen-bond acceptors as Lipinski counts them"),
  count("lipinskiHBD", "lipinski_hbd", "Hydrogen-bond donors as Lipinski counts them"),
  count("NumHBA", "hba", "Hydrogen-bond acceptors"),
  count("NumHBD", "hbd", "Hydrogen-bond donors"),
  count("NumRotatableBonds", "rotatable_bonds", "Rotatable bonds"),
  count("NumAmideBonds", "amide_bonds", "Amide bonds"),
  count("NumRings", "rings", "Rings"),
  count("NumAromaticRings", "aromatic_rings", "Aromatic rings"),
  count("NumAliphaticRings", "aliphatic_rings", "Rings with a bond that is not aromatic"),
  count("NumSaturatedRings", "saturated_rings", "Saturated rings"),
  count("NumHeterocycles", "heterocycles", "Rings with a heteroatom"),
  count("NumAromaticHeterocycles", "aromatic_heterocycles", "Aromatic rings with a heteroatom"),
  count("NumSaturatedHeterocycles", "saturated_heterocycles", "Saturated rings with a heteroatom"),
  count("NumAliphaticHeterocycles", "aliphatic_heterocycles", "Aliphatic rings with a heteroatom"),
  count("NumSpiroAtoms", "spiro_atoms", "Spiro atoms"),
  count("NumBridgeheadAtoms", "bridgehead_atoms", "Bridgehead atoms"),
  count("NumAtomStereoCenters", "stereo_centers", "Atom stereo centres"),
  count(
    "NumUnspecifiedAtomStereoCenters",
    "unspecified_stereo_centers",
    "Stereo centres without a configuration",
  ),
  float("FractionCSP3", "fraction_csp3", "Share of carbons that are sp3"),
  float("labuteASA", "labute_asa", "Approximate surface area (Labute)"),
  float("tpsa", "tpsa", "Topological polar surface area"),
  float("CrippenClogP", "clogp", "Octanol-water partition coefficient (Crippen)"),
  float("CrippenMR", "molar_refractivity", "Molar refractivity (Crippen)"),
  float("chi0v", "chi0v", "Connectivity index chi 0v"),
  float("chi1v", "chi1v", "Connectivity index chi 1v"),
  float("chi2v", "chi2v", "Connectivity index chi 2v"),
  float("chi3v", "chi3v", "Connectivity index chi 3v"),
  float("chi4v", "chi4v", "Connectivity index chi 4v"),
  float("chi0n", "chi0n", "Connectivity index chi 0n"),
  float("chi1n", "chi1n", "Connectivity index chi 1n"),
  float("chi2n", "chi2n", "Connectivity index chi 2n"),
  float("chi3n", "chi3n", "Connectivity index chi 3n"),
  float("chi4n", "chi4n", "Connectivity index chi 4n"),
  float("hallKierAlpha", "hall_kier_alpha", "Hall-Kier alpha"),
  float("kappa1", "kappa1", "Shape index kappa 1"),
  float("kappa2", "kappa2", "Shape index kappa 2"),
  float("kappa3", "kappa3", "Shape index kappa 3"),
  float("Phi", "phi", "Flexibility index phi"),
];

export const descriptorColumns: readonly Column[] = descriptorTable.map(({ name, type, description }) => ({
  name,
  type,
  description,
}));
