"""The image's recipe, as far as it can be held to its word without building it."""

import pathlib
import re
import subprocess
import unittest

from chart import BUILD, CHART, ROOT, load

RECIPE = ROOT / "helm/image/Containerfile"
PROGRAMS = [BUILD / name for name in ("bucketferry", "bucketferry-exporter")]
# In every Debian, as everything is linked with them; and what sanitizers weave into a build.
ALWAYS_THERE = {"libc6", "libgcc-s1"}
SANITIZERS = {"libasan8", "libubsan1", "libtsan2"}
# Not linked: the authorities of TLS.
NOT_LINKED = {"ca-certificates"}


def instructions():
    """(stage, instruction, rest), long lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", RECIPE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stage = None
    for line in text.splitlines():
        if not line.strip():
            continue
        word, rest = line.split(None, 1)
        if word == "FROM":
            stage = rest.split()[-1]
        yield stage, word, " ".join(rest.split())


def of(stage, word):
    return [rest for where, what, rest in instructions() if (where, what) == (stage, word)]


def runtime_packages():
    install = next(rest for rest in of("runtime", "RUN") if "apt-get install" in rest)
    words = re.search(r"apt-get install (.*?) &&", install)[1].split()
    return {word for word in words if not word.startswith("-")}


def needed_packages(program):
    """The Debian packages of the libraries that a program names itself."""
    dynamic = subprocess.run(["objdump", "-p", program], capture_output=True, text=True, check=True)
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"NEEDED\s+(\S+)", dynamic.stdout)
    paths = [str(pathlib.Path(re.search(rf"{re.escape(one)} => (\S+)", found)[1]).resolve())
             for one in libraries]
    # dpkg knows files of /lib by that name, although it is a link to /usr/lib.
    names = paths + [path.removeprefix("/usr") for path in paths]
    owners = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False)
    packages = {}
    for line in owners.stdout.splitlines():
        package, path = line.split(": ", 1)
        packages["/usr" + path.removeprefix("/usr")] = package.split(":")[0]
    for library, path in zip(libraries, paths):
        assert path in packages, f"{library}: {path} is of no package"
    return {packages[path] for path in paths}


def with_dependencies(packages):
    """These and what comes along with them, by Debian's own word."""
    known, todo = set(), set(packages)
    while todo:
        known |= todo
        depends = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}, ", *todo],
                                 capture_output=True, text=True, check=True).stdout
        names = {re.split(r"[ :(]", one.strip())[0] for one in re.split(r"[,|]", depends)}
        installed = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\n", *names - {""}],
                                   capture_output=True, text=True, check=False).stdout.split()
        todo = set(installed) - known
    return known


class Recipe(unittest.TestCase):
    @unittest.skipUnless(all(path.exists() for path in PROGRAMS), "the programs are not built")
    def test_the_packages_of_the_image_are_those_that_the_programs_are_linked_with(self):
        needed = set().union(*map(needed_packages, PROGRAMS)) - ALWAYS_THERE - SANITIZERS
        listed = runtime_packages()
        self.assertEqual(needed - with_dependencies(listed), set(), "missing")
        self.assertEqual(listed - NOT_LINKED - needed, set(), "superfluous")

    def test_what_it_copies_is_there_and_passes_the_ignore_file(self):
        ignored = (ROOT / "helm/image/Containerfile.dockerignore").read_text().splitlines()
        let_in = {line[1:].rstrip("/") for line in ignored if line.startswith("!")}
        self.assertIn("*", ignored)
        for _, word, rest in instructions():
            if word == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    self.assertTrue((ROOT / source).exists(), source)
                    self.assertIn(source.split("/")[0], let_in)

    def test_everything_that_the_build_reads_is_copied(self):
        copied = {source.rstrip("/")
                  for rest in of("build", "COPY") for source in rest.split()[:-1]}
        cmake = (ROOT / "CMakeLists.txt").read_text()
        layers = set(re.findall(r"^ferry_layer\((\w+)", cmake, re.MULTILINE))
        self.assertEqual(copied - {"CMakeLists.txt", "batch/install-packages"}, layers | {"sql"})

    def test_programs_are_where_the_chart_calls_them(self):
        copy = next(rest for rest in of("runtime", "COPY") if rest.startswith("--from=build"))
        self.assertEqual(copy.split()[-1], "/usr/bin/")
        self.assertEqual(of("runtime", "ENTRYPOINT"), ['["/usr/bin/bucketferry"]'])
        called = set()
        for path in (CHART / "templates").rglob("*.yaml"):
            called |= set(re.findall(r"/usr/bin/(bucketferry[\w-]*)", path.read_text()))
        self.assertEqual(called, {pathlib.Path(word).name for word in copy.split()[1:-1]})

    def test_it_is_the_user_of_the_chart_in_the_end_of_every_stage(self):
        context = load(CHART / "values.yaml")["podSecurityContext"]
        for stage in ("runtime", "bucketferry-embedded"):
            self.assertEqual(of(stage, "USER")[-1],
                             f"{context['runAsUser']}:{context['runAsGroup']}")

    def test_the_last_stage_is_the_one_without_a_server(self):
        stages = [rest for _, word, rest in instructions() if word == "FROM"]
        self.assertEqual(stages[-1], "runtime AS bucketferry")
        self.assertIn("sh /tmp/install-packages run", " ".join(of("bucketferry-embedded", "RUN")))

    def test_it_says_its_version_and_holds_no_secret(self):
        version = load(CHART / "Chart.yaml")["appVersion"]
        self.assertIn(f"VERSION={version}", of("runtime", "ARG"))
        label, = of("runtime", "LABEL")
        for name in ("title", "description", "licenses", "version", "revision"):
            self.assertIn(f"org.opencontainers.image.{name}=", label)
        for _, word, rest in instructions():
            self.assertNotEqual(word, "ADD")
            self.assertNotRegex(f"{word} {rest}", r"(?i)password|secret|token|https?://")


if __name__ == "__main__":
    unittest.main()
