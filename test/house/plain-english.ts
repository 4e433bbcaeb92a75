/**
 * Phrases that make a technical page read like a translation, each with an example and the usual wording. A space in a
 * pattern stands for any white space and for the marks of a comment that continues on the next line.
 */
export interface Phrase {
  readonly pattern: string;
  readonly example: string;
  readonly write: string;
}

export const phrases: readonly Phrase[] = [
  {
    pattern: "(tells?|told|telling)",
    example: "tell how big a cache is",
    write: "show, report, describe, say",
  },
  { pattern: "what of \\S+ is", example: "what of WDL is understood", write: "supported WDL features" },
  { pattern: "where to read on", example: "Where to read on", write: "Documentation, further reading" },
  { pattern: "(goes|go|gone|going|went) on", example: "goes on where it stopped", write: "resume, continue" },
  {
    pattern: "tak(e|es|en|ing) ((?!part|the|place)\\w+ ){0,3}up again",
    example: "takes its runs up again",
    write: "resume",
  },
  {
    pattern: "(?<!there )(is|are|was|were) no(?! (longer|more|fewer|less|larger|use)\\b)",
    example: "a literal that is no number",
    write: "is not a number; there is no number",
  },
  { pattern: "who may come", example: "holds who may come", write: "lists the access keys" },
  {
    pattern: "stands? (in|beside|at|there|here|on)",
    example: "figures stand in a page",
    write: "are listed in, see",
  },
  {
    pattern: "(lies?|lay|lying) (in|on|at|below|beside|inside|outside|side|elsewhere|there|here|next)",
    example: "everything lies in one folder",
    write: "is in, are in",
  },
  { pattern: "besides?", example: "the file beside it", write: "next to, with, also" },
  { pattern: "anew", example: "computed anew", write: "again" },
  { pattern: "(thereby|whereby|therein|thereof|thereupon)", example: "thereby", write: "so, in it, of it" },
  { pattern: "for want of", example: "for want of memory", write: "for lack of" },
  { pattern: "of strangers", example: "documents of strangers", write: "untrusted" },
  {
    pattern: "the most is",
    example: "2048 bytes, the most is 1024",
    write: "exceeds the limit of 1024 bytes",
  },
  { pattern: "no end within", example: "no end within 30 s", write: "timed out after 30 s" },
  {
    pattern: "(is|are|was|were|be) gone",
    example: "it is gone again",
    write: "disappeared, was removed, is missing",
  },
  {
    pattern: "(?<!--)bare(?! metal)",
    example: "on the bare host",
    write: "say what is missing: without isolation, without a container",
  },
  { pattern: "(can be|is|are|be|was|were) had", example: "an image that can be had", write: "available" },
  { pattern: "passed over", example: "the entry is passed over", write: "skipped" },
  { pattern: "of (ours|yours|theirs)", example: "an id of ours", write: "our id, Memoir's id" },
  {
    pattern: "of (its|their|our|your|his|one's) own",
    example: "a directory of its own",
    write: "its own directory, a separate directory",
  },
  { pattern: "of this machine", example: "files of this machine", write: "on this machine, local" },
  { pattern: "(inside|outside) of", example: "inside of the folder", write: "inside, outside" },
  { pattern: "in between", example: "in between", write: "between" },
  {
    pattern: "(keeps?|kept) \\S+ from(?= \\w+ing\\b| its\\b| their\\b)",
    example: "does not keep it from ending",
    write: "prevent",
  },
  { pattern: "fault of", example: "every fault of an input", write: "error" },
  { pattern: "it says so", example: "it says so", write: "it reports this" },
  { pattern: "without a word", example: "converted without a word", write: "silently" },
  {
    pattern: "(sp[eo]ke?n?) to",
    example: "registries are spoken to without TLS",
    write: "connect to, contact",
  },
  { pattern: "mend(s|ed|ing)?", example: "a mended run", write: "fix, repair, correct" },
  { pattern: "in one piece", example: "read in one piece", write: "at once, as a whole, atomically" },
  { pattern: "what (became|becomes) of", example: "what became of calls", write: "the outcome of" },
  {
    pattern: "(leaves?|left|leaving) (\\w+ )?alone",
    example: "is left alone",
    write: "is not used, is not changed",
  },
  {
    pattern: "(up to|at most|first|after|of|its) so many",
    example: "up to so many bytes",
    write: "give the number; this many",
  },
];

const gap = "[\\s*/]+";

/** Every phrase of `list` in `text`, with its line. */
export function findPhrases(
  text: string,
  list: readonly Phrase[] = phrases,
): readonly { readonly line: number; readonly found: string; readonly write: string }[] {
  return list
    .flatMap(({ pattern, write }) =>
      [...text.matchAll(new RegExp(`\\b${pattern.replaceAll(" ", gap)}(?!\\w)`, "gi"))].map((match) => ({
        line: text.slice(0, match.index).split("\n").length,
        found: match[0].replace(/[\s*/]+/g, " "),
        write,
      })),
    )
    .sort((a, b) => a.line - b.line);
}
