#!/usr/bin/env python3
"""The blocks of code in the documents, and what a comment before each says of it.

    blocks.py list FILE...    one line a block: FILE:LINE KIND ARGUMENT
    blocks.py check FILE...   a TAP point a file: each block says how it is checked
    blocks.py write FOLDER KIND,... FILE...  the blocks of these kinds as FOLDER/NNN, with NNN.name beside them

A comment of HTML stands on the line before a block, with at most a blank line between. It is
invisible where the page is shown.

    <!-- run: PLACE -->       commands
    <!-- shows: PLACE -->     commands after `$ `, each with its output, the same to the byte
    <!-- output -->           the output of the block before it; numbers may be others
    <!-- file: KIND [NAME] --> a text for a program (lunboot.conf, dnsmasq, targets.conf), which
                              finds no mistake in it; with NAME it is there for later commands
    <!-- not run: REASON -->  none of these

PLACE, where documents.sh runs it:
    here          an empty folder, with the programs in PATH
    server        the machine that serves disks, with tgt
    namespace     another machine on its network, with eth0
and in tests/full:
    root          the sources, with a Debian in the folder ROOT
    system NAME   a Debian with the initramfs of NAME
    guest NAME    a virtual machine
    guide NAME    the boot server's computer
"""
import pathlib
import re
import sys

MARK = re.compile(r"^<!-- (run|shows|file|not run|output)(?:: (.*?))? -->$")
KINDS = {"run": r"here|namespace|server|root|system [a-z-]+|guest [a-z-]+|guide [a-z-]+", "shows": "here|namespace",
         "file": r"(lunboot.conf|dnsmasq|targets.conf)( [a-z.-]+)?", "output": "", "not run": ".+"}


class Block:
    def __init__(self, path, line, mark, text):
        self.path, self.line, self.mark, self.text = path, line, mark, text
        self.kind, self.argument = (mark[1], mark[2] or "") if mark else ("", "")

    def name(self):
        return f"{self.path.name}:{self.line}"


def is_item(line):
    return re.match(r" *([-*+]|\d+\.) ", line)


def blocks(path):
    """Fenced blocks, and those indented by four or more after a blank line (seven or more within a list)."""
    lines = path.read_text().splitlines()
    mark = mark_line = fence = None
    start, text, before, in_list = 0, [], "", False
    for number, line in enumerate([*lines, "end"], 1):
        stripped = line.strip()
        if fence is None and not text:
            if match := MARK.match(stripped):
                mark, mark_line = match, number
                continue
            in_list = bool(is_item(line)) or (in_list and (not line or line.startswith("  ")))
        depth = len(line) - len(line.lstrip())
        is_fence = stripped.startswith("```") and fence in (None, depth)
        is_code = depth >= (6 if in_list else 4) and stripped
        if fence is None and not text and (is_fence or (is_code and not before)):
            start, fence = number, depth if is_fence else None
            text = [] if is_fence else [line]
            if mark and number - mark_line > 2:
                mark = None
            if is_fence:
                before = ""
                continue
        elif fence is not None and is_fence or fence is None and text and not is_code and stripped:
            shift = fence if fence is not None else min(len(t) - len(t.lstrip()) for t in text if t.strip())
            while text and not text[-1].strip():
                text.pop()
            yield Block(path, start, mark, "".join(t[shift:] + "\n" for t in text))
            mark, fence, text = None, None, []
            if match := MARK.match(stripped):
                mark, mark_line = match, number
            in_list = bool(is_item(line)) or (in_list and line.startswith("  "))
        elif fence is not None or text:
            text.append(line)
        before = stripped if not MARK.match(stripped) else ""


def mistake(block):
    if not block.mark:
        return "no comment before it says how it is checked"
    if not re.fullmatch(KINDS[block.kind], block.argument):
        return f"{block.kind}: {block.argument!r} is not known"
    return None


def check(paths):
    failed = False
    for number, path in enumerate(paths, 1):
        found = list(blocks(path))
        wrong = [(b, why) for b in found if (why := mistake(b))]
        print(f"{'not ' if wrong else ''}ok {number} - each block of {path.name} says how it is checked ({len(found)})")
        for block, why in wrong:
            print(f"# {block.name()}: {why}: {block.text.splitlines()[0]}")
        failed = failed or bool(wrong)
    print(f"1..{len(paths)}")
    return 1 if failed else 0


def write(folder, kinds, paths):
    """kinds: "run here,shows here"; without a place, all of the kind."""
    wanted_kinds = [kind.partition(" ")[::2] for kind in kinds.split(",")]
    number = 0
    for path in paths:
        before = False
        for block in blocks(path):
            wanted = any(block.kind == word and argument in ("", block.argument) for word, argument in wanted_kinds)
            if wanted or (block.kind == "output" and before):
                number += 1
                target = folder / f"{number:03}"
                target.write_text(block.text)
                target.with_suffix(".name").write_text(f"{block.name()} {block.kind} {block.argument}\n")
            before = wanted
    return 0


def main():
    command, *words = sys.argv[1:]
    if command == "write":
        folder, kind, *words = words
        return write(pathlib.Path(folder), kind, [pathlib.Path(word) for word in words])
    paths = [pathlib.Path(word) for word in words]
    if command == "check":
        return check(paths)
    for path in paths:
        for block in blocks(path):
            first = block.text.splitlines()[0] if block.text else ""
            print(f"{block.name():24} {block.kind or '-'} {block.argument} | {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
