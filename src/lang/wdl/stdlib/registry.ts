/** Every function of the standard library, by name. */
import { asMapFunction } from "./as-map.ts";
import { asPairsFunction } from "./as-pairs.ts";
import { basenameFunction } from "./basename.ts";
import { ceilFunction } from "./ceil.ts";
import { chunkFunction } from "./chunk.ts";
import { collectByKeyFunction } from "./collect-by-key.ts";
import { containsFunction } from "./contains.ts";
import { containsKeyFunction } from "./contains-key.ts";
import type { WdlFunction } from "./context.ts";
import { crossFunction } from "./cross.ts";
import { definedFunction } from "./defined.ts";
import { findFunction } from "./find.ts";
import { flattenFunction } from "./flatten.ts";
import { floorFunction } from "./floor.ts";
import { globFunction } from "./glob.ts";
import { joinPathsFunction } from "./join-paths.ts";
import { keysOfFunction } from "./keys.ts";
import { lengthFunction } from "./length.ts";
import { matchesFunction } from "./matches.ts";
import { maxFunction } from "./max.ts";
import { minFunction } from "./min.ts";
import { prefixFunction } from "./prefix.ts";
import { quoteFunction } from "./quote.ts";
import { rangeFunction } from "./range.ts";
import { readBooleanFunction } from "./read-boolean.ts";
import { readFloatFunction } from "./read-float.ts";
import { readIntFunction } from "./read-int.ts";
import { readJsonFunction } from "./read-json.ts";
import { readLinesFunction } from "./read-lines.ts";
import { readMapFunction } from "./read-map.ts";
import { readObjectFunction } from "./read-object.ts";
import { readObjectsFunction } from "./read-objects.ts";
import { readStringFunction } from "./read-string.ts";
import { readTsvFunction } from "./read-tsv.ts";
import { roundFunction } from "./round.ts";
import { selectAllFunction } from "./select-all.ts";
import { selectFirstFunction } from "./select-first.ts";
import { sepFunction } from "./sep.ts";
import { sizeFunction } from "./size.ts";
import { splitFunction } from "./split.ts";
import { squoteFunction } from "./squote.ts";
import { stderrFunction } from "./stderr.ts";
import { stdoutFunction } from "./stdout.ts";
import { subFunction } from "./sub.ts";
import { suffixFunction } from "./suffix.ts";
import { transposeFunction } from "./transpose.ts";
import { unzipFunction } from "./unzip.ts";
import { valueFunction } from "./value.ts";
import { valuesOfFunction } from "./values.ts";
import { writeJsonFunction } from "./write-json.ts";
import { writeLinesFunction } from "./write-lines.ts";
import { writeMapFunction } from "./write-map.ts";
import { writeObjectFunction } from "./write-object.ts";
import { writeObjectsFunction } from "./write-objects.ts";
import { writeTsvFunction } from "./write-tsv.ts";
import { zipFunction } from "./zip.ts";

export const stdlibFunctions: ReadonlyMap<string, WdlFunction> = new Map(
  [
    floorFunction,
    ceilFunction,
    roundFunction,
    minFunction,
    maxFunction,
    findFunction,
    matchesFunction,
    subFunction,
    splitFunction,
    basenameFunction,
    joinPathsFunction,
    globFunction,
    sizeFunction,
    stdoutFunction,
    stderrFunction,
    readStringFunction,
    readIntFunction,
    readFloatFunction,
    readBooleanFunction,
    readLinesFunction,
    writeLinesFunction,
    readTsvFunction,
    writeTsvFunction,
    readMapFunction,
    writeMapFunction,
    readJsonFunction,
    writeJsonFunction,
    readObjectFunction,
    readObjectsFunction,
    writeObjectFunction,
    writeObjectsFunction,
    prefixFunction,
    suffixFunction,
    quoteFunction,
    squoteFunction,
    sepFunction,
    rangeFunction,
    transposeFunction,
    crossFunction,
    zipFunction,
    unzipFunction,
    containsFunction,
    chunkFunction,
    flattenFunction,
    selectFirstFunction,
    selectAllFunction,
    asPairsFunction,
    asMapFunction,
    keysOfFunction,
    containsKeyFunction,
    valuesOfFunction,
    collectByKeyFunction,
    definedFunction,
    lengthFunction,
    valueFunction,
  ].map((each) => [each.name, each]),
);
