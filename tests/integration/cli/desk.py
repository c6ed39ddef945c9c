"""A person at a terminal with a browser: commands in processes of their own, the stand-in's own pages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
from pydantic import SecretStr

from tests.integration.sandbox.client import Api
from tests.kafka import TopicSpace
from waybill.cli.cluster import Cluster
from waybill.cli.store_book import StoreBook
from waybill.contracts import StoreTokens
from waybill.settings import KafkaSettings
from waybill.tokens import TokenSeal, new_key


class Terminal:
    """`waybill …` in a process of its own, with what it prints."""

    def __init__(self, env: dict[str, str], arguments: tuple[str, ...], stdin: str | None) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", "from waybill.cli import main; main()", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self.printed = ""
        self.errors = ""
        self.arguments: set[str] = set()
        """Everything that a list of processes showed of it and its children."""
        if stdin is not None:
            assert self.process.stdin is not None
            self.process.stdin.write(stdin)
            self.process.stdin.close()
            self.process.stdin = None

    def link(self) -> str:
        """The link to Alibaba's page, once it is printed."""
        assert self.process.stdout is not None
        while "oauth/authorize" not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.process.communicate(timeout=20)
            self.printed += line
        self.look()
        return self.printed.strip().rsplit(None, 1)[-1]

    def look(self) -> None:
        """Look at the list of processes."""
        mine = psutil.Process(self.process.pid)
        for one in (mine, *mine.children(recursive=True)):
            try:
                self.arguments.update(one.cmdline())
            except psutil.NoSuchProcess:
                continue

    def end(self) -> int:
        """Wait for its end; the exit code."""
        printed, self.errors = self.process.communicate(timeout=60)
        self.printed += printed
        return self.process.returncode

    def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate(timeout=20)


class Desk:
    """A person at a terminal with a browser, a cluster and the stand-in for Alibaba."""

    def __init__(self, space: TopicSpace, sandbox_url: str, folder: Path) -> None:
        self.api = Api(sandbox_url)
        self.seal_key = new_key()
        self.cluster = Cluster(
            KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix)
        )
        self.book = StoreBook(self.cluster)
        self.terminals: list[Terminal] = []
        self.folder = folder
        rest = f"{sandbox_url}/rest"
        urls = {
            "authorise_url": f"{sandbox_url}/oauth/authorize",
            "api_url": rest,
            "token_url": rest,
            "sync_url": f"{sandbox_url}/sync",
        }
        app = {"app_key": self.api.key, "app_secret": self.api.secret}
        kept = {name: text for name, text in os.environ.items() if not name.startswith("WAYBILL_")}
        self.env = kept | {
            "WAYBILL_KAFKA__BOOTSTRAP_SERVERS": space.bootstrap,
            "WAYBILL_KAFKA__TOPIC_PREFIX": space.prefix,
            "WAYBILL_SEAL_KEY": self.seal_key,
            "WAYBILL_SITES": json.dumps({"sandbox": {"app": app, "api": urls}}),
        }

    def start(self, *arguments: str, stdin: str | None = None, **env: str) -> Terminal:
        terminal = Terminal(self.env | env, ("stores", *arguments), stdin)
        self.terminals.append(terminal)
        return terminal

    def run(self, *arguments: str, stdin: str = "", **env: str) -> Terminal:
        terminal = self.start(*arguments, stdin=stdin, **env)
        terminal.end()
        return terminal

    def authorise(
        self, link: str, seller: str, months: str, *, follow: bool = True
    ) -> httpx.Response:
        """What the seller does on the page: choose the store and the length, press the button."""
        assert httpx.get(link, trust_env=False).status_code == 200
        confirm = link.replace("/oauth/authorize?", "/oauth/authorize/confirm?")
        query = {"seller": seller, "months": months}
        asked = f"{confirm}&{httpx.QueryParams(query)}"
        return httpx.get(asked, follow_redirects=follow, trust_env=False, timeout=60)

    def connect(self, seller: str, months: str, *options: str) -> Terminal:
        """The whole of it; the terminal is at its end."""
        terminal = self.start("connect", "--authorization", f"{months}m", "--no-browser", *options)
        self.authorise(terminal.link(), seller, months)
        terminal.end()
        return terminal

    def tokens(self, store_id: str) -> StoreTokens:
        found = self.book.tokens(store_id)
        assert found is not None
        return found

    def opened(self, store_id: str) -> str:
        """The clear access token as it lies sealed on the topic."""
        return (
            TokenSeal(SecretStr(self.seal_key))
            .open(self.tokens(store_id))
            .access.get_secret_value()
        )

    def close(self) -> None:
        for terminal in self.terminals:
            terminal.close()
        self.api.close()
