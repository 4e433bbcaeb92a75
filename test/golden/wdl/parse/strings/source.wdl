version 1.1
workflow w {
  String a = "tab\tand\qmore"
  String b = "\u00e9\x41\101"
  String c = "\uZZ"
  String d = 'single
  String e = "fine"
}
