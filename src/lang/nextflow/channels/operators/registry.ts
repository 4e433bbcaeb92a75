/** All operators, by name. */
import type { Operators } from "../channel.ts";
import { branch } from "./branch.ts";
import { buffer } from "./buffer.ts";
import { collate } from "./collate.ts";
import { collect } from "./collect.ts";
import { collectFile } from "./collect-file.ts";
import { combine } from "./combine.ts";
import { concat } from "./concat.ts";
import { count } from "./count.ts";
import { countFasta } from "./count-fasta.ts";
import { countFastq } from "./count-fastq.ts";
import { countJson } from "./count-json.ts";
import { countLines } from "./count-lines.ts";
import { cross } from "./cross.ts";
import { distinct } from "./distinct.ts";
import { dump } from "./dump.ts";
import { filter } from "./filter.ts";
import { first } from "./first.ts";
import { flatMap } from "./flat-map.ts";
import { flatten } from "./flatten.ts";
import { groupBy } from "./group-by.ts";
import { groupTuple } from "./group-tuple.ts";
import { ifEmpty } from "./if-empty.ts";
import { join } from "./join.ts";
import { last } from "./last.ts";
import { map } from "./map.ts";
import { max } from "./max.ts";
import { mean } from "./mean.ts";
import { merge } from "./merge.ts";
import { min } from "./min.ts";
import { mix } from "./mix.ts";
import { multiMap } from "./multi-map.ts";
import { randomSample } from "./random-sample.ts";
import { reduce } from "./reduce.ts";
import { set } from "./set.ts";
import { splitCsv } from "./split-csv.ts";
import { splitFasta } from "./split-fasta.ts";
import { splitFastq } from "./split-fastq.ts";
import { splitJson } from "./split-json.ts";
import { splitText } from "./split-text.ts";
import { subscribe } from "./subscribe.ts";
import { sum } from "./sum.ts";
import { take } from "./take.ts";
import { tap } from "./tap.ts";
import { toDouble } from "./to-double.ts";
import { toFloat } from "./to-float.ts";
import { toInteger } from "./to-integer.ts";
import { toList } from "./to-list.ts";
import { toLong } from "./to-long.ts";
import { toSortedList } from "./to-sorted-list.ts";
import { transpose } from "./transpose.ts";
import { unique } from "./unique.ts";
import { until } from "./until.ts";
import { view } from "./view.ts";

export const operators: Operators = {
  branch,
  buffer,
  collate,
  collect,
  collectFile,
  combine,
  concat,
  count,
  countFasta,
  countFastq,
  countJson,
  countLines,
  cross,
  distinct,
  dump,
  filter,
  first,
  flatMap,
  flatten,
  groupBy,
  groupTuple,
  ifEmpty,
  join,
  last,
  map,
  max,
  mean,
  merge,
  min,
  mix,
  multiMap,
  randomSample,
  reduce,
  set,
  splitCsv,
  splitFasta,
  splitFastq,
  splitJson,
  splitText,
  subscribe,
  sum,
  take,
  tap,
  toDouble,
  toFloat,
  toInteger,
  toList,
  toLong,
  toSortedList,
  transpose,
  unique,
  until,
  view,
};
