"""A headless Chromium, driven through a pipe by its DevTools protocol."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--disable-background-networking"),
    *("--no-first-run", "--disable-component-update", "--mute-audio"),
    # A microphone that beeps, and whose use nobody has to allow
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--remote-debugging-pipe",
)


class Browser:
    """One tab.

    Arguments
    ---------
    profile : Path
        Folder of its own.
    """

    def __init__(self, profile):
        inward, self.write_end = os.pipe()
        self.read_end, outward = os.pipe()
        arguments = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            # Chromium reads from 3 and writes to 4.
            [
                *("bash", "-c", f'exec "$0" "$@" 3<&{inward} 4>&{outward}'),
                *arguments,
            ],
            pass_fds=(inward, outward),
            stderr=subprocess.DEVNULL,
        )
        os.close(inward)
        os.close(outward)
        self.buffer, self.number, self.session = b"", 0, None
        #: Addresses of all that was asked for, and of all that was refused
        self.asked, self.said = [], []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(20)
        os.close(self.write_end)
        os.close(self.read_end)

    def call(self, method, **parameters):
        """Calls a method of the protocol."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self.number:
                assert "error" not in found, (method, found)
                return found["result"]

    def _read(self, seconds=60):
        """Reads a message; notes what the page asks for."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = max(0.0, end - time.monotonic())
            ready, _, _ = select.select([self.read_end], [], [], left)
            assert ready, "the browser is silent"
            self.buffer += os.read(self.read_end, 1 << 20)
        line, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(line)
        parameters = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])
        if message.get("method") == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        return message

    def run(self, code):
        """Returns the value of an expression in JavaScript."""
        found = self.call(
            "Runtime.evaluate",
            expression=code,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, code, seconds=60):
        """Waits until an expression is true, and returns it."""
        end = time.monotonic() + seconds
        while not (found := self.run(code)):
            body = self.run("document.body.innerText")
            assert time.monotonic() < end, f"{code} in {body}: {self.said}"
            time.sleep(0.1)
        return found

    def open(self, url):
        """Goes to an address."""
        self.call("Page.navigate", url=url)

    def upload(self, selector, path):
        """Puts a file into an input."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)
        self.call(
            "DOM.setFileInputFiles", nodeId=node["nodeId"], files=[str(path)]
        )

    def click(self, selector):
        """Clicks an element."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def picture(self, path, width=1000, height=1000):
        """Writes a PNG of the page."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        time.sleep(0.5)
        found = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))
