"""The gateway recipe as it stands in helm/gateway: its units, its settings, the commands that they run."""
import re
import shlex
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "helm" / "gateway"
MOUNT, NFS = "bucketferry-mount@.service", "bucketferry-nfs@.service"
SRV, CACHE = "/srv/gateway", "/var/cache/bucketferry-gateway"


def settings():
    """media.env as a dict."""
    lines = (FOLDER / "media.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def unit(file):
    """{section: {key: [values]}}, with continued lines joined."""
    sections, section = {}, {}
    text = re.sub(r"^[#;].*\n", "", (FOLDER / file).read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif "=" in line:
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return sections


def command(file, name, environment, srv=SRV, cache=CACHE):
    """ExecStart as systemd runs it for the instance NAME, with its two folders elsewhere if you like."""
    text = unit(file)["Service"]["ExecStart"][0].replace("%i", name).replace(SRV, srv).replace(CACHE, cache)
    return [re.sub(r"\$\{(\w+)\}", lambda match: environment.get(match.group(1), ""), word) for word in shlex.split(text)]


def options(words):
    """{"--option": value or ""} of a command of rclone."""
    found, name = {}, None
    for word in words:
        if word.startswith("--"):
            name, _, value = word.partition("=")
            found[name] = value
        elif name and not found[name]:
            found[name] = word
    return found
