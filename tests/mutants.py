"""A copy of the tree that faults are planted in, one at a time: for tests/mutate and tests/mutate-sim."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent


running = set()  # processes, each the first of a group


def end_all():
    """Ends what runs, wherever it was started from."""
    for process in list(running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run(command, work, limit=None, quiet=False):
    """Its exit code, and unless it is to be quiet its output; 124 where it took longer than limit, in seconds.
    Processes that it leaves end with it: those of a simulator whose seeds turn for ever."""
    with subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True) as process:
        running.add(process)
        try:
            output, _ = process.communicate(timeout=limit)
            return subprocess.CompletedProcess(command, process.returncode, output)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return subprocess.CompletedProcess(command, 124, output)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            running.discard(process)


class Tree:
    """What git knows of, as it is in the working tree, and the sources of others. It lies below the system's
    folder for temporary files, and goes at the end."""

    def __enter__(self):
        self.holder = tempfile.TemporaryDirectory(prefix="mutate.")
        self.path = pathlib.Path(self.holder.name)
        names = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], cwd=TOP, check=True,
                               capture_output=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (TOP / name).exists():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.path / name)
        (self.path / "deps").symlink_to(TOP / "deps")
        return self

    def __exit__(self, *_):
        self.holder.cleanup()

    def run(self, command, limit=None, folder=None, quiet=False):
        return run(command, folder or self.path, limit, quiet)

    def configure(self, *options):
        """What went wrong; empty: nothing."""
        done = self.run(["meson", "setup", "build", "-Duefi=disabled", "-Dwerror=false", *options])
        return done.stdout[-1500:] if done.returncode != 0 else ""

    def set_up(self, *targets):
        """Configures the copy and builds these targets. What went wrong; empty: nothing."""
        return self.configure() or self.build(*targets)

    def build(self, *targets):
        """What went wrong; empty: nothing."""
        done = self.run(["ninja", "-C", "build", *targets])
        return "" if done.returncode == 0 else done.stdout[-1500:] or "ninja failed"

    def read(self, file):
        return (self.path / file).read_text()

    def write(self, file, text):
        (self.path / file).write_text(text)
