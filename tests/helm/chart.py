"""The chart as the tests see it: its files, and its manifests as helm renders them."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/bucketferry"
CI_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
RULE_FILES = sorted((CHART / "files/rules").glob("*.yaml"))
BUILD = pathlib.Path(os.environ.get("BUCKETFERRY_TEST_BUILD", ROOT / "build-tests"))
HELM = os.environ.get("HELM", "")
KUBERNETES = "1.31.0"
RELEASE, NAMESPACE = "ferry", "transfer"


def load(path):
    return yaml.safe_load(pathlib.Path(path).read_text())


def ci(name):
    return CHART / f"ci/{name}-values.yaml"


def schema():
    return json.loads((CHART / "values.schema.json").read_text())


@functools.lru_cache(maxsize=1)
def _helm_home():
    return tempfile.TemporaryDirectory(prefix="bucketferry-helm.")


def helm(*arguments):
    """Runs helm; nothing of the caller's own settings, plugins or cluster counts."""
    home = _helm_home().name
    environment = {"PATH": os.environ["PATH"], "HOME": home, "HELM_CACHE_HOME": home,
                   "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home, "KUBECONFIG": "/dev/null"}
    return subprocess.run([HELM, *map(str, arguments)], env=environment, text=True, timeout=120,
                          capture_output=True, check=False)


def template(values, *more, release=RELEASE, kubernetes=KUBERNETES, chart=CHART):
    """helm template; `values` is a path, or a list of paths and dicts, of which the last wins."""
    with tempfile.TemporaryDirectory(prefix="bucketferry-helm.") as folder:
        files = []
        for number, one in enumerate(values if isinstance(values, list) else [values]):
            if isinstance(one, dict):
                path = pathlib.Path(folder) / f"{number}.yaml"
                path.write_text(yaml.safe_dump(one))
                one = path
            files += ["--values", one]
        return helm("template", release, chart, "--namespace", NAMESPACE,
                    "--kube-version", kubernetes, *files, *more)


@functools.lru_cache(maxsize=None)
def _rendered(path, release):
    return render([path], release=release)


def render(values, **options):
    """The manifests, in helm's order. A path alone is rendered once."""
    if not isinstance(values, list):
        return _rendered(values, options.get("release", RELEASE))
    result = template(values, **options)
    if result.returncode != 0:
        raise AssertionError(f"helm template {values}: {result.stderr}")
    return [document for document in yaml.load_all(result.stdout, Loader=yaml.CSafeLoader)
            if document]


def of_kind(documents, kind, component=None):
    return [document for document in documents if document["kind"] == kind and
            component in (None, document["metadata"]["labels"]["app.kubernetes.io/component"])]


def only(documents, kind, component=None):
    found = of_kind(documents, kind, component)
    assert len(found) == 1, f"{len(found)} of kind {kind} {component or ''}"
    return found[0]


def pod_template(document):
    """What a document makes pods of: labels and spec; None where it makes none."""
    if document["kind"] == "Pod":
        return document
    if document["kind"] == "CronJob":
        return document["spec"]["jobTemplate"]["spec"]["template"]
    if document["kind"] == "Deployment":
        return document["spec"]["template"]
    return None


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def container(pod, name):
    return next(one for one in containers(pod) if one["name"] == name)


def environment(one):
    return {entry["name"]: entry for entry in one["env"]}
