/** csv: the one place that knows delimited text (RFC 4180 and what people make of it). */
export { isBlankLine, type RecordTaken, takeRecord } from "./record.ts";
export { parseRecords } from "./records.ts";
export { type Separator, separatorFrom, separatorName } from "./separator.ts";
export { quotedWhere, recordText } from "./write.ts";
