"""The programs of a tests.mutants.Tree, each linked with one file that has a fault: for tests/mutate.

A fault costs one compilation, and a link for each program that it is tried with. ninja is not asked again, for it would
make the library anew and link all of its programs.
"""
import json
import pathlib
import queue
import re
import shlex
import time
from concurrent.futures import ThreadPoolExecutor

SIM = "lunboot-sim"
MEMBER = re.compile(r"([\w./-]+)\.a\(([\w./-]+)\)$")  # of an archive, as a linker's trace names it
WAIT_S = 40  # for what only sleeps, and ten times as long as without a fault
SPARE_S = 5  # of processor time, and five times what the program takes without a fault


class Program:
    """How ninja links it; the objects that it consists of; and what it takes without a fault."""

    def __init__(self, entry, arguments=()):
        self.path, self.arguments = entry["output"], list(arguments)
        self.name = self.path.rsplit("/", 1)[-1]
        self.link = shlex.split(entry["command"])
        self.objects, self.seconds = set(), 60.0

    def inputs(self):
        return [word for word in self.link if word.endswith((".o", ".a"))]

    def link_words(self, output, replaced="", by=""):
        """Its link, where the object `by` stands for `replaced`: in its place, or before the library that has it."""
        words = [by if word == replaced else word for word in self.link]
        words[words.index("-o") + 1] = output
        if by and by not in words:
            words.insert(words.index("-o") + 2, by)
        return words

    def limited(self, program, seconds):
        """Ends with a signal where it takes much more of a processor than without a fault. A busy machine does not
        matter: what another process takes does not count."""
        return ["sh", "-c", f"ulimit -t {int(SPARE_S + 5 * seconds)}; exec \"$@\"", "sh", program]


def is_link(entry):
    return " -c " not in entry["command"] and " -o " in entry["command"]


def compiled(entry, source, output):
    """The command of ninja's for another source and object, without what only costs time."""
    words = shlex.split(entry["command"])
    words = words[1:] if words[0].endswith("ccache") else words
    for flag in "-MQ", "-MF":
        at = words.index(flag)
        del words[at:at + 2]
    words = [{entry["file"]: source, entry["output"]: output, "-O2": "-O1"}.get(word, word) for word in words]
    return [word for word in words if word != "-MD"] + ["-w"]


class Planted:
    """Knows of each source which programs have it, and builds and runs these with a changed one."""

    def __init__(self, tree, jobs):
        self.tree, self.jobs = tree, jobs
        self.build = tree.path / "build"
        self.programs, self.compilations = {}, {}
        self.seed_seconds = {}  # of the simulator, by whether it is with IPsec
        self.rooms = queue.SimpleQueue()  # a folder for each fault that is tried at the same time
        for number in range(jobs):
            room = tree.path / "rooms" / str(number)
            room.mkdir(parents=True)
            self.rooms.put(room)

    def run(self, words, limit=None):
        return self.tree.run(words, limit, self.build)

    def read_commands(self, is_asked):
        """Of the unit tests for which is_asked(program, source) holds, and of the simulator."""
        entries = json.loads(self.run(["ninja", "-t", "compdb", "-x"]).stdout)
        links = {entry["output"]: entry for entry in entries if is_link(entry)}
        tests = json.loads(self.run(["meson", "introspect", "--tests"]).stdout)
        for test in tests:
            path = str(pathlib.Path(test["cmd"][0]).relative_to(self.build)) if "unit" in str(test["suite"]) and \
                test["cmd"][0].startswith(str(self.build)) else ""
            if path in links and is_asked(path):
                program = Program(links[path], test["cmd"][1:])
                self.programs[program.name] = program
        self.programs[SIM] = Program(links[SIM])
        for entry in entries:
            if " -c " in entry["command"]:
                self.compilations.setdefault(entry["file"].removeprefix("../"), []).append(entry)

    def set_up(self, is_asked):
        """What went wrong; empty: nothing."""
        self.read_commands(is_asked)
        parts = {word for program in self.programs.values() for word in program.inputs()}
        done = self.run(["ninja", *sorted(parts)])
        if done.returncode != 0:
            return done.stdout[-1500:]
        with ThreadPoolExecutor(self.jobs) as pool:
            wrong = list(filter(None, pool.map(self.try_without, list(self.programs.values()))))
        return "\n".join(wrong) or self.simulate()

    def simulate(self):
        """How long a seed takes; what went wrong."""
        for is_ipsec in False, True:
            start = time.monotonic()
            done = self.run([f"./{SIM}", "--jobs=1", "--seeds=100", *["--ipsec"] * is_ipsec])
            self.seed_seconds[is_ipsec] = (time.monotonic() - start) / 100
            if done.returncode != 0:
                return done.stdout[-1500:]
        return ""

    def try_without(self, program):
        """Links and runs a program as it is: what it consists of, how long it takes, what went wrong."""
        done = self.run([*program.link_words(program.path), "-Wl,-t"])
        if done.returncode != 0:
            return done.stdout[-1500:]
        program.objects = set(program.inputs())
        for line in done.stdout.splitlines():
            member = MEMBER.search(line)
            if member:
                program.objects.add(f"{member[1].removeprefix('./')}.a.p/{member[2].rsplit('/', 1)[-1]}")
        if program.name == SIM:
            return ""
        start = time.monotonic()
        done = self.tree.run(["build/" + program.path, *program.arguments], 180)
        program.seconds = time.monotonic() - start
        return "" if done.returncode == 0 else f"{program.name} fails without a fault:\n{done.stdout[-1500:]}"

    def entry_for(self, file, program):
        """The compilation of this file that the program has; None: it has none of it."""
        return next((e for e in self.compilations.get(file, []) if e["output"] in program.objects), None)


class Fitted:
    """One file with a fault, in a room of its own."""

    def __init__(self, planted, file, text):
        self.planted, self.file, self.text = planted, file, text
        self.done = {}  # objects by those that they stand for

    def __enter__(self):
        self.room = self.planted.rooms.get()
        self.source = self.room / pathlib.PurePosixPath(self.file).name
        self.source.write_text(self.text)
        return self

    def __exit__(self, *_):
        for path in self.room.iterdir():
            path.unlink()
        self.planted.rooms.put(self.room)

    def compile(self, entry):
        """The object; empty: it does not compile."""
        if entry["output"] not in self.done:
            output = self.room / f"{len(self.done)}.o"
            done = self.planted.run(compiled(entry, str(self.source), str(output)), 300)
            self.done[entry["output"]] = str(output) if done.returncode == 0 else ""
        return self.done[entry["output"]]

    def is_same_as(self, text):
        """Whether the compiler makes the same objects of this text: a fault of lines for another machine, or one that
        it sees to change nothing."""
        self.source.write_text(text)
        for entry, made in ((e, self.done[e["output"]]) for e in self.planted.compilations[self.file]
                            if e["output"] in self.done):
            output = self.room / "same.o"
            done = self.planted.run(compiled(entry, str(self.source), str(output)), 300)
            if done.returncode != 0 or output.read_bytes() != pathlib.Path(made).read_bytes():
                return False
        return True

    def link(self, program):
        """The program with the fault in it; empty: it cannot be had."""
        entry = self.planted.entry_for(self.file, program)
        replaced = self.compile(entry)
        output = self.room / program.name
        if not replaced:
            return ""
        done = self.planted.run(program.link_words(str(output), entry["output"], replaced), 300)
        return str(output) if done.returncode == 0 else ""

    def run(self, program, path, arguments, seconds):
        """Whether it ends well. What it prints is not read: with a fault that may be without end."""
        return self.planted.tree.run([*program.limited(path, seconds), *arguments], WAIT_S + 10 * seconds,
                                     quiet=True).returncode == 0
