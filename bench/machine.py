"""What the measuring scripts share: namespaces of their own, cores, and servers that end with the script."""
import os
import signal
import socket
import subprocess
import sys
import time

TGT_NAME = "iqn.2026-11.test:disk1"


def enter_namespaces(script):
    """Runs this script again in network, mount and process namespaces, which end with it."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    os.execvp("unshare", command + [sys.executable, os.path.abspath(script), "--inside"] +
              sys.argv[1:])


def write_if_allowed(path, text):
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        pass


def prepare():
    """The namespace's own loopback, and precedence over the machine's other work where we may.

    Reno: the congestion control is the server's and not what is measured. The machine's default may
    be one that paces by timers, and then the timers are what is measured.
    """
    os.setsid()
    write_if_allowed("/proc/self/autogroup", "-20")
    write_if_allowed("/proc/sys/net/ipv4/tcp_congestion_control", "reno")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def cores():
    """The client's core and the server's; the same one where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def settle(core):
    """In the new process: on this core alone (None: on all), before all other work where that is allowed."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        pass


class Machine:
    """The build's measuring programs, and the servers that were started."""

    def __init__(self, build):
        self.build = build
        self.client_core, self.server_core = cores()
        self.servers = []

    def program(self, name):
        return os.path.join(self.build, "bench", "lunboot-bench-" + name)

    def has(self, name):
        return os.path.exists(self.program(name))

    def serve(self, command, port, inside=(), on_all_cores=False):
        """Starts a server, and waits until it listens at this TCP port of 127.0.0.1 (None: does not)."""
        core = None if on_all_cores else self.server_core
        server = subprocess.Popen([*inside, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  preexec_fn=lambda: settle(core))
        self.servers.append(server)
        for _ in range(500 if port else 0):
            if server.poll() is not None:
                sys.exit("%s ended: %s" % (command[0], server.stderr.read().decode()))
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return server
            time.sleep(0.02)
        if port:
            sys.exit("%s does not listen" % command[0])
        return server

    def end(self, server):
        server.send_signal(signal.SIGKILL)
        server.wait()
        self.servers.remove(server)

    def end_all(self):
        for server in list(self.servers):
            self.end(server)

    def tgtadm(self, *words):
        subprocess.run(["tgtadm", "-C", "7", "--lld", "iscsi", *words], check=True)

    def start_tgt(self, port, on_all_cores=False):
        """tgtd, which has no disk yet. /run is this namespace's own from here on."""
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        return self.serve(["tgtd", "-f", "-C", "7", "--iscsi", "portal=127.0.0.1:%d" % port], port,
                          on_all_cores=on_all_cores)

    def add_tgt_disk(self, number, name, disk, store="rdwr"):
        """A target with this number and name; the disk is its LUN 1."""
        self.tgtadm("--mode", "target", "--op", "new", "--tid", str(number), "--targetname", name)
        self.tgtadm("--mode", "logicalunit", "--op", "new", "--tid", str(number), "--lun", "1", "-b",
                    disk, "--bstype", store)
        self.tgtadm("--mode", "target", "--op", "bind", "--tid", str(number), "-I", "ALL")


def make_disk(path, size):
    """A disk that is no hole, without zeros."""
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(b"lunboot!" * (1 << 17))
