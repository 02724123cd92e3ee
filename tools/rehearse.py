"""Runs what deploy/ would have containers run, without an engine: each service in a network namespace of its own.

    python -m tools.rehearse [deploy/compose.nodes.yaml]

Commands, environments, addresses, the order of the start and the health checks are read from the compose file and the
Dockerfile; the programs are Debian's. Then the first people are founded on the command line as docs/operations.md has
it, and administrators make a group and two officers, who enrol, all through the proxy. What it does not try: voice,
building images and their user, volumes, the mapping of ports. Needs root, for namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.fixtures.postgres import binaries
from tests.support.proxy import NEWER

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "POC_REHEARSED_IN"
SITE = "radio.example.test"
GIVEN = {
    "SITE": SITE,
    "TLS": "internal",
    "PUBLIC_ADDRESS": "172.30.72.1",
    "DATABASE_PASSWORD": secrets.token_hex(24),
    "REDIS_PASSWORD": secrets.token_hex(24),
}
"""What deploy/.env says."""
START_S = 300.0


class Dockerfile:
    """What the last stage of the image says of a container."""

    def __init__(self, text: str) -> None:
        last = text[text.rindex("\nFROM ") :].replace("\\\n", " ")
        found = dict(re.findall(r"^(ENTRYPOINT|CMD|HEALTHCHECK) (.+)$", last, re.MULTILINE))
        self.command = [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]
        self.health = json.loads(found["HEALTHCHECK"][found["HEALTHCHECK"].index("[") :])
        self.env = dict(each.split("=", 1) for each in shlex.split(re.findall(r"^ENV (.+)$", last, re.MULTILINE)[0]))


def filled(text: str) -> str:
    """With the variables of .env, as compose does it; ``$$`` is a dollar."""

    def value(found: re.Match[str]) -> str:
        name, default, asked = found[1], found[2], found[3]
        if name not in GIVEN and asked is not None:
            sys.exit(f"{name} is asked for")
        return GIVEN.get(name, default or "")

    return re.sub(r"(?<!\$)\$\{(\w+)(?::-([^}]*))?(?::\?([^}]*))?\}", value, text).replace("$$", "$")


class Stage:
    """The services while they run. ``folder`` is their disk."""

    def __init__(self, compose: Mapping[str, Any], folder: Path) -> None:
        self.folder, self.image = folder, Dockerfile((ROOT / "Dockerfile").read_text())
        self.services = {name: each for name, each in compose["services"].items() if "profiles" not in each}
        fixed = {
            name: each["networks"]["inside"]["ipv4_address"]
            for name, each in self.services.items()
            if isinstance(each.get("networks"), dict)
        }
        net = next(iter(fixed.values())).rpartition(".")[0]
        self.addresses = {name: fixed.get(name, f"{net}.{10 + n}") for n, name in enumerate(self.services)}
        self.host = f"{net}.1"
        self._running: list[subprocess.Popen[bytes]] = []

    # --- the network -------------------------------------------------------------------------------------------------

    def lay(self) -> None:
        """A bridge, as an engine makes one, and each service by its name on it."""
        hosts = [f"{address} {name}" for name, address in self.addresses.items()]
        names = self.folder / "hosts"
        names.write_text("\n".join(["127.0.0.1 localhost", f"{self.addresses['proxy']} {SITE}", *hosts]) + "\n")
        run("mount", "--bind", str(names), "/etc/hosts")
        run("mount", "-t", "tmpfs", "none", "/run")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "inside", "type", "bridge")
        run("ip", "addr", "add", f"{self.host}/24", "dev", "inside")
        run("ip", "link", "set", "inside", "up")
        for number, (name, address) in enumerate(self.addresses.items()):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"v{number}", "master", "inside", "up")
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", name, "link", "set", device, "up")

    # --- services ----------------------------------------------------------------------------------------------------

    def order(self) -> Iterator[str]:
        """Each after what it depends on."""
        left = dict(self.services)
        while left:
            for name in [name for name, each in left.items() if not set(each.get("depends_on", ())) & left.keys()]:
                del left[name]
                yield name

    def start(self, name: str) -> None:
        """Begin one, and wait until it is healthy by its own check."""
        env = {key: str(value) for key, value in self.services[name].get("environment", {}).items()}
        command, check = getattr(self, f"_{name.partition('-')[0]}")(name, env)
        log = (self.folder / f"{name}.log").open("wb")
        whole = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **env}
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, *command], env=whole, cwd=self.folder, stdout=log, stderr=log
        )
        self._running.append(process)
        end = time.monotonic() + START_S
        inside = ["ip", "netns", "exec", name]
        while subprocess.run([*inside, *check], env=whole, cwd=ROOT, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{name} is not healthy:\n{(self.folder / f'{name}.log').read_text()[-2000:]}")
            time.sleep(0.5)
        print(f"{name} is healthy", flush=True)

    def stop(self) -> None:
        """The last one first."""
        for process in reversed(self._running):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)

    def of_image(self, *command: str) -> list[str]:
        """As the compose file has it: without capabilities, and none to be had."""
        return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command]

    def env_of_image(self, name: str) -> dict[str, str]:
        """What the image and the compose file say, on this disk."""
        env = {**self.image.env, **{k: str(v) for k, v in self.services[name]["environment"].items()}}
        del env["PATH"]
        data = self.folder / "data"
        env |= {"POC_SERVER__DATA": str(data), "POC_SERVER__PAGES": str(ROOT / "web" / "dist")}
        # Ports are not mapped here: phones are told where each node is.
        return {**env, "POC_MEDIA__ANNOUNCE": json.dumps([self.addresses[name]])}

    def _server(self, name: str, env: dict[str, str]) -> tuple[list[str], list[str]]:
        env |= self.env_of_image(name)
        command = [str(Path(sys.executable).with_name(self.image.command[0])), *self.image.command[1:]]
        return self.of_image(*command), [sys.executable, *self.image.health[1:]]

    def _redis(self, name: str, env: dict[str, str]) -> tuple[list[str], list[str]]:
        command = [*self.services[name]["command"][:-1], self.services[name]["command"][-1] + " --bind 0.0.0.0"]
        return command, ["redis-cli", "-a", env["REDIS_PASSWORD"], "--no-auth-warning", "ping"]

    def _database(self, name: str, env: dict[str, str]) -> tuple[list[str], list[str]]:
        """As the entry of the image does it."""
        data, own = self.folder / "pg", ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        word = self.folder / "password"
        word.write_text(env["POSTGRES_PASSWORD"])
        shutil.chown(word, "postgres", "postgres")
        made = ["-D", str(data), "-U", env["POSTGRES_USER"], "-A", "scram-sha-256", "--pwfile", str(word), "-E", "UTF8"]
        run(*own, str(binaries() / "initdb"), *made, "--no-locale")
        (data / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
        alone = ["--single", "-D", str(data), "postgres"]
        subprocess.run(
            [*own, str(binaries() / "postgres"), *alone],
            input=f"CREATE DATABASE {env['POSTGRES_DB']};\n".encode(),
            check=True,
            capture_output=True,
        )
        env["PATH"] = f"{binaries()}:{os.environ['PATH']}"
        serve = [*own, str(binaries() / "postgres"), "-D", str(data), "-c", "listen_addresses=*"]
        kind, check = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD-SHELL"
        return [*serve, "-c", f"unix_socket_directories={data}"], ["sh", "-c", f"{check} -h 127.0.0.1"]

    def _proxy(self, name: str, env: dict[str, str]) -> tuple[list[str], list[str]]:
        mounted = next(each for each in self.services[name]["volumes"] if "Caddyfile" in each).split(":")[0]
        made = self.folder / "Caddyfile"
        made.write_text("{\n\tskip_install_trust\n}\n" + NEWER.sub("", (ROOT / "deploy" / mounted).read_text()))
        env |= {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        check = f"import urllib.request; urllib.request.urlopen('https://{SITE}/readyz', timeout=3)"
        env["SSL_CERT_FILE"] = str(self.folder / "caddy/pki/authorities/local/root.crt")
        return ["caddy", "run", "--config", str(made), "--adapter", "caddyfile"], [sys.executable, "-c", check]

    def command(self, name: str, *words: str) -> str:
        """`docker compose exec NAME …`."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env_of_image(name)}
        program = str(Path(sys.executable).with_name(words[0]))
        inside = ["ip", "netns", "exec", name, *self.of_image(program, *words[1:])]
        done = subprocess.run(inside, env=env, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{shlex.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


# --- people ----------------------------------------------------------------------------------------------------------


def call(method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Any:
    """One request through the proxy."""
    said = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    request = urllib.request.Request(
        f"https://{SITE}/api/v1{path}", None if body is None else json.dumps(body).encode(), said, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def enrolled(link: str) -> str:
    return str(call("POST", "/auth/enrol", {"code": link.rsplit("/", 1)[1], "device": "rehearsal"})["access_token"])


def officers(links: list[str]) -> None:
    """A group, and two of its people, as administrators make them."""
    system, security = enrolled(links[0]), enrolled(links[1])
    unit = call("GET", "/units", token=system)[0]["id"]
    group = call("POST", "/groups", {"name": "东湖巡查组", "unit": unit}, system)["id"]
    for name in ("王建国", "李秀英"):
        person = call("POST", "/people", {"name": name, "unit": unit}, system)
        call("PUT", f"/people/{person['id']}/roles", {"roles": ["officer"]}, security, **{"If-Match": "*"})
        call("POST", f"/groups/{group}/members", {"users": [person["id"]]}, system)
        invited = call("POST", f"/people/{person['id']}/enrolments", {}, system)
        own = enrolled(invited["path"])
        assert call("GET", "/me", token=own)["user"]["id"] == person["id"]


# --- ------------------------------------------------------------------------------------------------------------------


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    if INSIDE not in os.environ:
        with tempfile.TemporaryDirectory(prefix="poc-rehearsal-") as folder:
            Path(folder).chmod(0o755)
            own = ["unshare", "--net", "--mount", sys.executable, "-m", "tools.rehearse", *sys.argv[1:]]
            return subprocess.run(own, env={**os.environ, INSIDE: folder}, cwd=ROOT, check=False).returncode
    file = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "deploy" / "compose.nodes.yaml")
    folder = Path(os.environ[INSIDE])
    stage = Stage(yaml.safe_load(filled(file.read_text())), folder)
    stage.lay()
    try:
        for name in stage.order():
            stage.start(name)
        os.environ["SSL_CERT_FILE"] = str(folder / "caddy/pki/authorities/local/root.crt")
        first = next(name for name in stage.services if name.startswith("server"))
        said = stage.command(first, "poc-server", "found", "江城市城市运行管理中心", "--url", f"https://{SITE}")
        links = re.findall(r"https\S+/enrol/[a-z2-7]{26}", said)
        officers(links)
    finally:
        stage.stop()
    print("two officers enrolled through the proxy")
    return 0


if __name__ == "__main__":
    sys.exit(main())
