/** What `models.json` lists: the models that a stage serves, with the release and the columns of each. */
import type { Column } from "../../src/task/index.ts";

export interface StageModel {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly release: string;
  readonly columns: readonly Column[];
}
