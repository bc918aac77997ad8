"""Runs a command whose standard output is a full pipe that nobody reads: `unread-output.py COMMAND...`. Ends as it
ends; then it prints how many bytes of the command's are in the pipe."""
import fcntl
import os
import signal
import subprocess
import sys

reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
os.write(writer, b"." * 4096)
child = subprocess.Popen(sys.argv[1:], stdout=writer)
signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number))
code = child.wait()
os.close(writer)
said = os.read(reader, 8192)
print("%d bytes of it were printed" % (len(said) - 4096), flush=True)
sys.exit(code)
