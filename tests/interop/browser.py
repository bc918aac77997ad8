#!/usr/bin/env python3
"""A browser that a script drives: chromium-headless-shell, over the pipe of its DevTools protocol.

    browser.py COMMANDS

COMMANDS is a FIFO with a line for each command; each is answered by one line on standard output,
its number, `ok` or `no`, and what there is to say:

    open URL                    a page, until it is loaded
    is EXPRESSION               until the JavaScript expression is true, at most 20 seconds
    run EXPRESSION              its value
    shot WIDTH SCHEME FILE      a picture of the whole page, light or dark, as PNG
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAMS = ["chromium-headless-shell", "chromium"]
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-pipe", "about:blank"]


class Browser:
    def __init__(self, folder):
        program = next(path for path in map(shutil.which, PROGRAMS) if path)
        ours, self.out = os.pipe()
        self.back, theirs = os.pipe()

        def take():  # its end of the pipes is 3 and 4
            first, second = os.dup(ours), os.dup(theirs)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen([program, f"--user-data-dir={folder}", *ARGUMENTS], preexec_fn=take,
                                        close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours)
        os.close(theirs)
        self.number, self.session, self.rest, self.events = 0, None, b"", []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setScrollbarsHidden", hidden=True)

    def receive(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise OSError("the browser has ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise OSError(answer["error"]["message"])
                return answer["result"]
            self.events.append(answer.get("method"))

    def open(self, url):
        self.events = []
        error = self.call("Page.navigate", url=url).get("errorText")
        while "Page.loadEventFired" not in self.events:
            self.events.append(self.receive().get("method"))
        return error or ""

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise OSError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def is_true(self, expression):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.run(f"(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()"):
                return True
            time.sleep(0.05)
        return False

    def shot(self, width, scheme, path):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        height = 200
        for _ in range(2):  # its height depends on its width
            self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=height, deviceScaleFactor=1,
                      mobile=False)
            height = self.run("document.documentElement.scrollHeight")
        picture = self.call("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
        return self.run("document.documentElement.scrollWidth")


def carry_out(browser, line):
    word, _, rest = line.partition(" ")
    if word == "open":
        return True, browser.open(rest)
    if word == "is":
        is_true = browser.is_true(rest)
        return is_true, "" if is_true else browser.run("document.body.innerText")
    if word == "run":
        return True, browser.run(rest)
    width, scheme, path = rest.split(" ")
    return True, browser.shot(width, scheme, path)


def main():
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with tempfile.TemporaryDirectory(dir=os.path.dirname(sys.argv[1]), ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        print("0 ok", flush=True)
        try:
            with open(sys.argv[1], encoding="utf-8") as commands:
                for number, line in enumerate(commands, 1):
                    try:
                        is_done, value = carry_out(browser, line.rstrip("\n"))
                    except (OSError, KeyError, ValueError) as error:
                        is_done, value = False, str(error)
                    print(number, "ok" if is_done else "no", json.dumps(value), flush=True)
        finally:
            browser.process.kill()
            browser.process.wait()


main()
