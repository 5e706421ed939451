"""How long until the site's pages can be used; in tests/: `python -m browser.first_view ../build/site [another]`.

One rule: Chromium with a cold cache, its processor slowed down four times, the network as DevTools' "Fast 4G"; the site
served without compression by Python's own server; the folders in turn, five rounds; the median. Counted from the click
on a link until the button that starts something stands beside its chart. Run it where nothing else runs.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from made_up_site import Quiet, served
from playwright.sync_api import sync_playwright

from lm_utils.workshop.browser import find_browser

PAGES = {"index.html": "Play", "live.html": "Train"}  # and the button that starts something
SLOWER, ROUNDS = 4, 5
FAST_4G = {"offline": False, "latency": 165, "downloadThroughput": 1_012_500, "uploadThroughput": 168_750}
READY = """name => document.querySelector("main svg.chart")
    && [...document.querySelectorAll("main button")].some(one => one.textContent === name) && performance.now()"""


def first_view(browser: object, address: str, button: str) -> tuple[float, int]:
    """Return the milliseconds until a page can be used, and the bytes that came by then."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, sizes = context.new_page(), []
    session = context.new_cdp_session(page)
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", FAST_4G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="commit")
    ready = page.wait_for_function(READY, arg=button, polling="raf", timeout=120_000).json_value()
    context.close()
    return ready, round(sum(sizes))


def main(folders: Sequence[str]) -> None:
    """Measure the folders in turn and print a line for each of their pages."""
    Quiet.protocol_version = "HTTP/1.1"  # connections stay open, as with every web host
    with sync_playwright() as playwright, ExitStack() as servers:
        addresses = [servers.enter_context(served(Path(folder))) for folder in folders]
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        for name, button in PAGES.items():
            rounds = [[first_view(browser, address + name, button) for address in addresses] for _ in range(ROUNDS)]
            for folder, measured in zip(folders, zip(*rounds, strict=True), strict=True):
                times, sizes = zip(*measured, strict=True)
                told = " ".join(f"{time:.0f}" for time in sorted(times))
                print(f"{folder}/{name}: {median(times):.0f} ms ({told}), {median(sizes) / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
