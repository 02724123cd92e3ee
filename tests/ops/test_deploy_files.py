"""What lies in deploy/ fits together: files that are mounted exist, variables that are asked for are explained."""

from __future__ import annotations

import json
import re
import shlex
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from typer.main import get_command

from poc_server.cli import app
from poc_server.config import Config, load
from poc_server.recording.layout import default_key
from tests.ops.test_config_example import filled

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE_FILES = sorted(DEPLOY.glob("compose*.yaml"))


@pytest.fixture(params=COMPOSE_FILES, ids=lambda path: path.name)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    return yaml.safe_load(request.param.read_text())


def test_files_that_are_mounted_exist(compose: dict[str, Any]) -> None:
    mounts = [m for service in compose["services"].values() for m in service.get("volumes", ())]
    files = [m.split(":")[0] for m in mounts if m.startswith("./")]
    assert [name for name in files if not (DEPLOY / name).exists()] == []


def test_volumes_that_are_used_are_declared(compose: dict[str, Any]) -> None:
    mounts = [m.split(":")[0] for service in compose["services"].values() for m in service.get("volumes", ())]
    assert {name for name in mounts if not name.startswith(".")} == set(compose["volumes"])


def test_every_variable_is_explained() -> None:
    asked = {name for path in COMPOSE_FILES for name in re.findall(r"(?<!\$)\$\{(\w+)", path.read_text())}
    explained = set(re.findall(r"^#?(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    assert asked == explained


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = yaml.safe_dump(compose)
    assert re.findall(r"\$\{\w*(?:PASSWORD|SECRET)\w*:-[^}]+\}", text) == []


def test_what_the_image_copies_is_in_the_repository() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in lines for source in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_evidence_key_stands_where_a_node_may_write(compose: dict[str, Any]) -> None:
    """Nothing else of the file system can be written: without its folder no node starts."""
    image = (ROOT / "Dockerfile").read_text()
    (data,) = re.findall(r"POC_SERVER__DATA=(\S+)", image)
    keys = str(default_key(Path(data)).parent)
    assert re.findall(r"install --directory --owner=(\w+) .*(/\S+)$", image, re.MULTILINE) == [("poc", keys)]
    for name, settings in servers(compose).items():
        mounts = dict(reversed(mount.split(":")) for mount in compose["services"][name]["volumes"])
        assert settings.recording.evidence_key is None
        assert {data, keys} <= set(mounts)
        assert mounts[data] != mounts[keys]
    unit = (DEPLOY / "poc-server.service").read_text()
    (data,) = re.findall(r"^Environment=POC_SERVER__DATA=(\S+)$", unit, re.MULTILINE)
    (folders,) = re.findall(r"^StateDirectory=(.+)$", unit, re.MULTILINE)
    writable = {Path("/var/lib") / each for each in folders.split()}
    assert {Path(data), default_key(Path(data)).parent} <= writable


# --- services that speak with each other ------------------------------------------------------------------------------

IMAGE_PORT = Config().server.port


def servers(compose: dict[str, Any]) -> dict[str, Config]:
    """The nodes, and the configuration each of them reads."""
    given = {name: each["environment"] for name, each in compose["services"].items() if name.startswith("server")}
    return {name: load(None, env=poc_variables(env)) for name, env in given.items()}


def poc_variables(environment: dict[str, Any]) -> dict[str, str]:
    return {key: filled(str(value)) for key, value in environment.items() if key.startswith("POC_")}


def test_each_node_has_a_port_of_voice_of_its_own_that_is_open(compose: dict[str, Any]) -> None:
    nodes = servers(compose)
    assert nodes
    assert len({settings.media.port for settings in nodes.values()}) == len(nodes)
    for name, settings in nodes.items():
        published = [filled(str(port)) for port in compose["services"][name]["ports"]]
        # Inside and outside alike: phones are told the port the node itself knows.
        assert f"{settings.media.port}:{settings.media.port}/udp" in published
        assert settings.media.announce


def test_nodes_find_database_redis_and_each_other(compose: dict[str, Any]) -> None:
    names, nodes = set(compose["services"]), servers(compose)
    for name, settings in nodes.items():
        assert urlsplit(settings.store.url).hostname in names
        if len(nodes) > 1:
            assert urlsplit(settings.fabric.redis).hostname in names
            assert settings.fabric.url == f"http://{name}:{IMAGE_PORT}"
    assert len({settings.fabric.node for settings in nodes.values()}) == len(nodes)


def test_the_password_of_redis_is_the_one_nodes_know(compose: dict[str, Any]) -> None:
    redis = compose["services"].get("redis")
    if redis is None:
        assert all(not settings.fabric.redis for settings in servers(compose).values())
        return
    command = " ".join(redis["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command
    assert '--requirepass "$$REDIS_PASSWORD"' in command
    for settings in servers(compose).values():
        assert urlsplit(settings.fabric.redis).password == filled(redis["environment"]["REDIS_PASSWORD"])


def test_who_is_waited_for_says_how_he_is(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for each in services.values():
        waits = each.get("depends_on", {})
        assert set(waits) <= set(services)
        for other, how in waits.items() if isinstance(waits, dict) else ():
            assert how["condition"] != "service_healthy" or services[other]["healthcheck"]["test"]


def test_what_unit_and_image_start_are_commands_of_the_server() -> None:
    started = shlex.split(re.findall(r"^ExecStart=(.+)$", (DEPLOY / "poc-server.service").read_text(), re.MULTILINE)[0])
    image = (ROOT / "Dockerfile").read_text()
    by_image = [json.loads(each) for each in re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", image, re.MULTILINE)]
    for program, name, *options in (started, [word for words in by_image for word in words]):
        assert Path(program).name == "poc-server"
        commands: Any = get_command(app)
        commands.commands[name].make_context(name, options)  # raises on what it does not know


def test_restarting_asks_the_process_alone() -> None:
    """A liveness probe that looked at Redis or SQL would take the radio of all phones when those are away."""
    image = (ROOT / "Dockerfile").read_text()
    assert re.findall(rf"http://127\.0\.0\.1:{IMAGE_PORT}(/\w+)", image) == ["/healthz"]
    assert not [each for path in COMPOSE_FILES for each in nodes_of(path) if "healthcheck" in each]


def nodes_of(path: Path) -> list[dict[str, Any]]:
    services = yaml.safe_load(path.read_text())["services"]
    return [each for name, each in services.items() if name.startswith("server")]


def test_a_node_is_given_the_time_it_needs_to_drain(compose: dict[str, Any]) -> None:
    for name, settings in servers(compose).items():
        given = float(compose["services"][name]["stop_grace_period"].removesuffix("s"))
        assert given >= settings.server.drain_s + 10
    unit = (DEPLOY / "poc-server.service").read_text()
    assert float(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) >= Config().server.drain_s + 10


def test_the_proxy_knows_all_nodes_and_they_believe_it_alone(compose: dict[str, Any]) -> None:
    proxy = compose["services"]["proxy"]
    address = proxy["networks"]["inside"]["ipv4_address"]
    assert ip_address(address) in ip_network(compose["networks"]["inside"]["ipam"]["config"][0]["subnet"])
    caddy = (DEPLOY / "Caddyfile").read_text()
    standard = re.findall(r"\{\$SERVERS:([^}]+)\}", caddy)[0]
    upstream = proxy["environment"].get("SERVERS", standard).split()
    assert upstream == [f"{name}:{IMAGE_PORT}" for name in servers(compose)]
    for name in servers(compose):
        assert compose["services"][name]["environment"]["FORWARDED_ALLOW_IPS"] == address
    assert {"SITE", "TLS"} == set(re.findall(r"\{\$(\w+)\}", caddy))


def test_prometheus_asks_every_node_and_reads_the_alarms(compose: dict[str, Any]) -> None:
    mounts = dict(each.split(":")[:2] for each in compose["services"]["prometheus"]["volumes"])
    inside = {target: DEPLOY / source for source, target in mounts.items() if source.startswith("./")}
    said = yaml.safe_load(inside["/etc/prometheus/prometheus.yml"].read_text())
    (job,) = said["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"{name}:{IMAGE_PORT}" for name in servers(compose)]
    assert [inside[file].name for file in said["rule_files"]] == ["alarms.yml"]
    jobs = re.findall(r'job="([^"]+)"', (DEPLOY / "alarms.yml").read_text())
    assert set(jobs) == {job["job_name"]}


def test_grafana_finds_its_source_and_its_dashboard(compose: dict[str, Any]) -> None:
    mounts = [each.split(":")[:2] for each in compose["services"]["grafana"]["volumes"]]
    provider = yaml.safe_load((DEPLOY / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    assert any(target.startswith(provider["options"]["path"] + "/") for _, target in mounts)
    (source,) = yaml.safe_load((DEPLOY / "grafana" / "sources.yaml").read_text())["datasources"]
    assert urlsplit(source["url"]).hostname in compose["services"]
    dashboard = (DEPLOY / "grafana" / "dashboard.json").read_text()
    assert set(re.findall(r'"uid": "([^"]+)"', dashboard)) >= {source["uid"]}


def test_every_alarm_is_explained() -> None:
    alarms = re.findall(r"- alert: (\w+)", (DEPLOY / "alarms.yml").read_text())
    rows = re.findall(r"^\| ([A-Z]\w+(?:, \w+)*) \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")}
    assert set(alarms) - explained == set()
