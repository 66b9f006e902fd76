"""Is the gateway recipe true to the programs it is for? See `run`."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import recipe

# Of `rclone serve nfs`, which Debian 12's rclone does not have yet.
ONLY_NFS = {"--addr", "--nfs-cache-type"}
# What mount and NFS server must have alike, or the one is explained by comments of the other in vain.
ONLY_MOUNT = {"--allow-other", "--attr-timeout"}
SITE = {"--addr", "--rc-addr", "--vfs-cache-max-size", "--cache-dir", "--log-systemd", "--nfs-cache-type"}

failures, skipped = [], []


def expect(true, what):
    if not true:
        failures.append(what)


def have(program, for_what):
    if not shutil.which(program):
        skipped.append(f"no {program}: {for_what}")
        return False
    return True


def output(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    return done.returncode, done.stdout + done.stderr


def check_units():
    environment = recipe.settings()
    for file in (recipe.MOUNT, recipe.NFS):
        service = recipe.unit(file)["Service"]
        for name in re.findall(r"\$\{(\w+)\}", service["ExecStart"][0]):
            expect(name in environment, f"{file}: media.env does not set {name}")
        expect(service["EnvironmentFile"] == ["/etc/bucketferry-gateway/%i.env"], f"{file}: another EnvironmentFile")
    remote = environment["REMOTE"].split(":")[0]
    expect(f"[{remote}]" in (recipe.FOLDER / "rclone.conf").read_text(), f"rclone.conf has no {remote}")
    if have("systemd-analyze", "units not verified"):
        code, said = output("systemd-analyze", "verify", recipe.MOUNT, recipe.NFS, cwd=recipe.FOLDER)
        # It wants the programs of ExecStart to be there; whether they are is no matter of the recipe.
        said = [line for line in said.splitlines() if "is not executable" not in line and line.strip()]
        expect(not said, "systemd-analyze: " + "\n    ".join(said))


def kubernetes():
    return list(yaml.safe_load_all((recipe.FOLDER / "kubernetes.yaml").read_text()))


def container(parts):
    deployment = next(part for part in parts if part["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]


def check_options():
    environment = recipe.settings()
    mount = recipe.options(recipe.command(recipe.MOUNT, "media", environment))
    nfs = recipe.options(recipe.command(recipe.NFS, "media", environment))
    pod = recipe.options(container(kubernetes())["args"])
    wanted = {name: value for name, value in mount.items() if name not in ONLY_MOUNT | SITE}
    for name, found in (("bucketferry-nfs@.service", nfs), ("kubernetes.yaml", pod)):
        expect({option: value for option, value in found.items() if option not in SITE} == wanted,
               f"{name}: its options are not those of the mount: {found}")
    expect("--read-only" in mount, "the mount is not read only")
    expect(not any("pass" in option for option in mount), "a password is an argument")
    if have("rclone", "its options not checked"):
        known = set()
        for words in (("mount", "--help"), ("help", "flags"), ("serve", "nfs", "--help")):
            known |= set(re.findall(r"--[a-z0-9-]+", output("rclone", *words)[1]))
        if not known & ONLY_NFS:
            skipped.append(f"this rclone serves no NFS: {', '.join(sorted(ONLY_NFS))} not checked")
            known |= ONLY_NFS
        unknown = (set(mount) | set(nfs) | set(pod)) - known
        expect(not unknown, f"rclone knows no {sorted(unknown)}")


def check_samba():
    text = (recipe.FOLDER / "samba.conf").read_text()
    mount_point = recipe.SRV + "/media"
    expect(f"path = {mount_point}\n" in text, f"samba.conf: the share is not {mount_point}")
    expect(f"mountpoint -q {mount_point}\n" in text, "samba.conf: another mount is looked for")
    if have("testparm", "samba.conf not checked"):
        code, said = output("testparm", "-s", recipe.FOLDER / "samba.conf")
        complaint = re.compile("unknown|ignoring|global parameter .* found|error", re.IGNORECASE)
        complaints = [line for line in said.splitlines() if complaint.search(line)]
        expect(code == 0 and not complaints, "testparm: " + "\n    ".join(complaints))
        expect("read only = No" not in said, "testparm: the share may be written to")


def check_kubernetes():
    parts = {part["kind"]: part for part in kubernetes()}
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    rclone = container(kubernetes())
    rights = rclone["securityContext"]
    expect(pod["securityContext"]["runAsNonRoot"] and rights["readOnlyRootFilesystem"]
           and rights["capabilities"]["drop"] == ["ALL"] and not rights["allowPrivilegeEscalation"],
           "kubernetes.yaml: the container has more rights than it needs")
    ports = {port["name"]: port["containerPort"] for port in rclone["ports"]}
    options = recipe.options(rclone["args"])
    expect((options["--addr"], options["--rc-addr"]) == (f":{ports['nfs']}", f":{ports['rc']}"),
           "kubernetes.yaml: rclone listens on other ports")
    named = {port["targetPort"] for port in parts["Service"]["spec"]["ports"]}
    expect(named <= ports.keys(), "kubernetes.yaml: the Service names other ports")
    variables = {variable["name"] for variable in rclone["env"]} | parts["Secret"]["stringData"].keys()
    wanted = {name for name in recipe.settings() if name.startswith(("RCLONE_", "AWS_"))}
    expect(wanted <= variables, f"kubernetes.yaml: not set: {wanted - variables}")


def blocks(page, language):
    """Fenced blocks, also indented ones."""
    text = page.read_text()
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
            for indent, body in re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)]


def check_pages(build):
    for page in sorted(recipe.FOLDER.glob("*.md")):
        for body in blocks(page, "json"):
            try:
                json.loads(body)
            except ValueError as error:
                failures.append(f"{page.name}: {error}: {body[:60]}")
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            expect((recipe.FOLDER / link).exists(), f"{page.name}: leads nowhere: {link}")
        for body in blocks(page, "yaml"):
            check_configuration(page.name, body, build)


def check_configuration(page, body, build):
    """A snippet of bucketferry.yaml: exit 2 would be a fault in it, and 3 is a database that is not there."""
    if not build:
        skipped.append(f"no --build: bucketferry.yaml of {page} not read")
        return
    store = "{provider: aws, region: cn-north-1, credentials: {anonymous: true}}"
    stores = f"stores:\n  overseas: {store}\n  china: {store}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(stores + body)
        file.flush()
        code, said = output(Path(build) / "bucketferry", "status", "--config", file.name,
                            env={"BUCKETFERRY_DATABASE": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1",
                                 "RCLONE_RC_PASS": "x"})
    expect(code == 3, f"{page}: bucketferry.yaml: exit {code}: {said.strip()}")


def main():
    build = sys.argv[sys.argv.index("--build") + 1] if "--build" in sys.argv else None
    check_units()
    check_options()
    check_samba()
    check_kubernetes()
    check_pages(build)
    code, said = output("sh", "-n", recipe.FOLDER / "refresh")
    expect(code == 0, said)
    for line in skipped:
        print("gateway:", line)
    for line in failures:
        print("gateway:", line, file=sys.stderr)
    print(f"gateway: {len(failures) or 'no'} findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
