"""Replaces docopt where it cannot be installed: as much of it as AWS's command lines use."""

import re
import sys


def docopt(doc, argv=None, version=None, **_):
    options, short = {}, {}
    for line in doc.splitlines():
        found = re.match(r"\s*(?:(-\w),? )?\s*(--[\w-]+)(=<[^>]+>)?(?:\s|$)", line)
        if found:
            letter, name, value = found.groups()
            options[name] = None if value else False
            if letter:
                short[letter] = name
    for name in re.findall(r"<(\w+)>\.\.\.", doc):
        options[f"<{name}>"] = []
    for name in re.findall(r"<(\w+)>(?!\.)", doc.split("Options:")[0].split("Arguments:")[0]):
        options.setdefault(f"<{name}>", None)
    words = list(sys.argv[1:] if argv is None else argv)
    places = [name for name in options if name.startswith("<")]
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, _, value = word.partition("=")
            name = short.get(name, name)
            if name not in options:
                sys.exit(f"unknown option {word}\n{doc}")
            if options[name] is False or options[name] is True:
                options[name] = True
            else:
                options[name] = value if value else words.pop(0)
        else:
            many = [name for name in places if isinstance(options[name], list)]
            if many:
                options[many[0]].append(word)
            else:
                free = [name for name in places if options[name] is None]
                options[free[0]] = word
    return options
