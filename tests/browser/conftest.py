"""One JupyterLab, opened once in one headless Chromium, for all browser tests; it ends with the last of them.

A test asks for `jupyter` and opens a lesson (see `tests/lesson_kernel.py`) or a few lines of code:

    pytestmark = pytest.mark.browser

    def test_slider(jupyter):
        with jupyter.open("01_losses") as page:        # opens, runs all cells, waits until idle
            assert page.errors() == []
            with page.change("Value and slope"):         # fails if no image whose alt text starts so changes
                page.slider("error").press("ArrowRight", times=3)
            page.dropdown("loss").select_option(label="MAE")
            page.radio("It jumps").check()
            page.button("Show the answer").click()
            page.see("Right")                            # waits for a text among the outputs, never in code
            page.screenshot("01_slider", around=page.image("Value and slope"))

`jupyter.open_code("from lm_utils.lessons import x\\nx.lab()")` does the same for code of your own.
Two controls of one name are told apart by `nth=`. Locators are Playwright's; `page.raw` is its page.
All notebooks share a kernel, which forgets between two of them.
`LM_SCREENS=1` saves the screenshots, for people to look at; without it the test only waits for what they show.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from lesson_kernel import LessonKernel, Silence

from lm_utils.workshop.browser import find_browser
from lm_utils.workshop.publish import notebooks

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 240  # seconds: a wait ends when what is expected is there, so a slow machine fails nothing
SIZE = {"width": 1280, "height": 720}
SCREENS = notebooks.PROJECT / "build" / "screens"
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # every cell is in the page
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},  # an error in a widget stands there alone
}
OUTPUTS = ".jp-OutputArea-output"
IMAGE = f'{OUTPUTS} img[alt^="{{0}}"], {OUTPUTS} [role=img][aria-label^="{{0}}"]'
OPEN = """async path => {
    await jupyterapp.restored;
    const { kernels } = jupyterapp.serviceManager;
    await kernels.refreshRunning();
    const [kernel] = [...kernels.running()];
    const options = { path, factory: 'Notebook', kernel: { id: kernel.id } };
    const { context } = await jupyterapp.commands.execute('docmanager:open', options);
    await context.ready;
    await context.sessionContext.ready;
    await context.sessionContext.session.kernel.info;  // cells run earlier are dropped
}"""
CLOSE = """async speaks => {
    for (const widget of [...jupyterapp.shell.widgets('main')]) {
        const kernel = widget.sessionContext?.session?.kernel;  // first it answers what the notebook has asked for
        if (speaks && kernel?.supportsSubshells && !widget.isDisposed) await kernel.requestListSubshell({}).done;
        widget.dispose();
    }
}"""
KEEP = """async () => {
    const { context } = jupyterapp.shell.currentWidget;
    await context.save();  // which begins to collect the widgets' state
    for (let look = 0; !context.model.getMetadata('widgets'); look++) {
        if (look === 6000) throw new Error('the state of the widgets is missing');
        await new Promise(done => setTimeout(done, 100));
    }
    return JSON.stringify(context.model);
}"""
LOOK = 250  # milliseconds between two looks of a wait: a look at every cell, sixty times a second, is most of the work
TRACEBACK = "Traceback (most recent call last)"
FINISHED = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map(x => x.textContent);
    const told = [...document.querySelectorAll('[data-mime-type="application/vnd.jupyter.stderr"]')];
    const failed = told.some(x => x.textContent.includes('Traceback (most recent call last)'));
    const idle = document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle';
    const waiting = prompts.some(x => x.includes('*')) || !prompts.length;
    return idle && !waiting && (failed || prompts.every(x => /\\d/.test(x)));
}"""
REDRAWN = f"""([selector, nth, before]) => {{
    const picture = document.querySelectorAll(selector)[nth], now = picture && (picture.src || picture.innerHTML);
    globalThis.looks = now === globalThis.seen ? globalThis.looks + 1 : 0;
    globalThis.seen = now;
    return now && now !== before && globalThis.looks >= 3 && ({FINISHED})();
}}"""  # another picture that three more looks leave as it is: several key presses draw several pictures


@pytest.fixture(scope="session")
def chromium():
    """One headless Chromium (Playwright's Browser)."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium; Debian: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing; make test installs it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def jupyter(chromium, kernel):
    """One JupyterLab server for all notebooks, and their kernel; see the text at the top of this file."""
    with start_server(kernel.folder) as (url, token):
        context = chromium.new_context(viewport=SIZE, reduced_motion="reduce")
        context.set_default_timeout(1000 * PATIENCE)
        lab = context.new_page()
        lab.goto(f"{url}/lab?token={token}&reset")
        lab.locator("#jupyterlab-splash").wait_for(state="detached")
        lab.wait_for_function("globalThis.jupyterapp?.commands.hasCommand('docmanager:open')")
        yield Jupyter(lab, kernel)
        context.close()


@pytest.fixture(scope="session")
def served(chromium, tmp_path_factory):
    """What `make explore` serves: its address, its process (which ends as with Ctrl-C) and where it saves."""
    folder = tmp_path_factory.mktemp("no-mnist")
    (folder / "MNIST").mkdir()
    (folder / "MNIST" / "failed-download.txt").write_text("this test asks for no download")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LM_DATA_DIR": str(folder)}
    code = (
        "import pathlib, sys; from lm_utils.explorer import server;"
        "server.WORKING_COPY = pathlib.Path('mine').absolute(); sys.exit(server.main())"  # not the user's own
    )
    command = [sys.executable, "-c", code]
    hear = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 (a background job is deaf to Ctrl-C)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
                              env=environment, start_new_session=True, preexec_fn=hear)  # fmt: skip
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", server.stdout.readline())
    assert found, "no address was printed"
    yield SimpleNamespace(address=found[0], process=psutil.Process(server.pid), folder=folder / "mine")
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE) == 0


@pytest.fixture(scope="session")
def tab(chromium):
    """A tab of a projector's size for the explorer's own page."""
    context = chromium.new_context(viewport=SIZE)
    context.set_default_timeout(1000 * PATIENCE)
    yield Page(context.new_page())
    context.close()


@pytest.fixture
def web(tab, served) -> Page:
    """The explorer's own page as the last test has left it."""
    if tab.raw.url == "about:blank":
        tab.raw.goto(served.address)
        tab.button("Train").wait_for()
    return tab


@contextmanager
def start_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Run JupyterLab on a free port of this machine alone, with nothing of the user's settings."""
    settings = folder / "config" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(OVERRIDES), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    names = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    environment = {**os.environ, **{f"JUPYTER_{name}": str(folder / path) for name, path in names.items()}}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
               f"--ServerApp.root_dir={folder / 'notebooks'}", "--ServerApp.allow_external_kernels=True",
               f"--ServerApp.external_connection_dir={folder / 'kernels'}",
               "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api?token={token}", server, folder / "server.log")
        yield url, token
    finally:
        server.kill()  # asked to end, it would wait for an answer of the kernel
        server.wait(PATIENCE)


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(10 * PATIENCE):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


class Jupyter:
    """Opens notebooks in JupyterLab, one after the other, all with one kernel."""

    def __init__(self, lab, kernel: LessonKernel) -> None:
        self.lab, self.kernel = lab, kernel

    @contextmanager
    def open(self, name: str) -> Iterator[Page]:
        """Open a lesson and run it, and keep it as it is then; a `with` around it closes it."""
        with self._open(name, self.kernel.prepared(name)) as page:
            self.kernel.executed[name] = page.kept()
            yield page

    def open_code(self, *cells: str):
        """Open a notebook with these code cells and run them."""
        metadata = notebooks.NOTEBOOK_METADATA
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata)
        return self._open("code", made)

    @contextmanager
    def _open(self, name: str, notebook: nbformat.NotebookNode) -> Iterator[Page]:
        try:
            for _ in range(2):
                if page := self._executed(name, notebook):
                    break
                self.kernel.restart()  # it fell silent: once more, with another one
                self.lab.evaluate(CLOSE, False)
            assert page, "two kernels fell silent"
            yield page
        finally:
            self.lab.evaluate(CLOSE, True)

    def _executed(self, name: str, notebook: nbformat.NotebookNode) -> Page | None:
        self.kernel.forget()
        path = self.kernel.folder / "notebooks" / f"{name}-{secrets.token_hex(4)}.ipynb"
        nbformat.write(notebook, path)
        page = Page(self.lab)
        self.lab.evaluate(OPEN, path.name)
        return page if page.run_all(self.kernel.watched()) else None


class Page:
    """An open notebook: its controls, pictures and outputs."""

    def __init__(self, raw) -> None:
        self.raw = raw
        self.outputs = raw.locator(OUTPUTS)
        self.broken: list[str] = []
        raw.on("pageerror", lambda error: self.broken.append(f"page: {error}"))

    def run_all(self, silence: Silence) -> bool:
        """Run → Run All Cells, and wait until every cell has run or one has failed; not so if the kernel is silent."""
        self.raw.get_by_role("menuitem", name="Run", exact=True).click()
        self.raw.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(pytest.importorskip("playwright.sync_api").TimeoutError):
                self.raw.wait_for_function(FINISHED, polling=LOOK, timeout=100 * silence.limit)
                return True
            if silence.is_long(self.outputs.count()):
                return False
        raise AssertionError(f"The cells took longer than {PATIENCE} s.")

    def kept(self) -> nbformat.NotebookNode:
        """What JupyterLab keeps: the notebook with its outputs and the state of its widgets."""
        return nbformat.reads(self.raw.evaluate(KEEP), 4)

    def wait_until_idle(self) -> None:
        """Wait until nothing runs any more."""
        self.raw.wait_for_function(FINISHED, polling=LOOK)

    def errors(self) -> list[str]:
        """Tracebacks in outputs, widgets that could not be drawn, errors of the page itself."""
        widgets = self.raw.locator(".jupyter-widgets-error-widget").all_inner_texts()
        return [text for text in self._stderr() if TRACEBACK in text] + widgets + self.broken

    def warnings(self) -> list[str]:
        """What cells wrote to stderr."""
        return [text for text in self._stderr() if TRACEBACK not in text]

    def _stderr(self) -> list[str]:
        return self.raw.locator('[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()

    def texts(self) -> list[str]:
        """The text of every output."""
        return self.outputs.all_inner_texts()

    def see(self, text: str):
        """Wait until an output shows this text, and return the innermost element that does."""
        found = self.outputs.get_by_text(text).locator("visible=true").first  # folded code holds words, too
        found.wait_for()
        return found

    def slider(self, label: str, nth: int = 0) -> Slider:
        """The slider with this label."""
        return Slider(self._control("slider", label, nth))

    def dropdown(self, label: str, nth: int = 0):
        """The drop-down list with this label; change it with `.select_option(label=...)`."""
        return self._control("dropdown", label, nth).locator("select")

    def checkbox(self, label: str, nth: int = 0):
        """The checkbox with this text."""
        return self.outputs.locator(".widget-checkbox").filter(has_text=label).nth(nth).locator("input")

    def radio(self, option: str, nth: int = 0):
        """The radio button of this option; choose it with `.check()`."""
        return self.outputs.locator(".widget-radio-box label").filter(has_text=option).nth(nth).locator("input")

    def button(self, text: str, nth: int = 0):
        """The button with this text; one that is still disabled is waited for by `.click()`."""
        return self.outputs.get_by_role("button", name=text, exact=True).nth(nth)

    def image(self, alt: str, nth: int = 0):
        """The image or chart whose alternative text starts so."""
        return self.raw.locator(IMAGE.format(alt)).nth(nth)

    def pixels(self, alt: str, nth: int = 0) -> str:
        """What an image or chart is drawn from; another one is another picture."""
        return self.image(alt, nth).evaluate("element => element.src || element.innerHTML")

    @contextmanager
    def change(self, alt: str, nth: int = 0) -> Iterator[None]:
        """Wait until the image whose alt text starts so is replaced, and the new one stays."""
        before = self.pixels(alt, nth)
        yield
        self.raw.wait_for_function(REDRAWN, arg=[IMAGE.format(alt), nth, before], polling=LOOK)
        now = self.pixels(alt, nth)
        assert now.startswith(("data:image/png;base64,", "<figure>")) and len(now) > 2000

    def screenshot(self, name: str, around=None) -> Path:
        """Scroll to an element; with LM_SCREENS save what the window then shows as build/screens/NAME.png."""
        if around is not None:
            around.evaluate("element => element.scrollIntoView({block: 'center'})")
        path = SCREENS / f"{name}.png"
        if os.environ.get("LM_SCREENS"):
            SCREENS.mkdir(parents=True, exist_ok=True)
            self.raw.screenshot(path=path)
        return path

    def _control(self, kind: str, label: str, nth: int):
        named = self.raw.locator(".widget-label", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$"))
        return self.outputs.locator(f".widget-{kind}").filter(has=named).nth(nth)


class Slider:
    """A slider, moved by keys as a person without a mouse would."""

    def __init__(self, box) -> None:
        self.box = box
        self.handle = box.locator("[role=slider]").first

    @property
    def value(self) -> str:
        """The number that stands beside it."""
        return self.box.locator(".widget-readout").inner_text()

    def press(self, key: str, times: int = 1) -> None:
        """Press a key (ArrowRight, ArrowLeft, Home, End) on its handle."""
        self.handle.scroll_into_view_if_needed()
        for _ in range(times):
            self.handle.press(key)
