"""What every manifest of every ci file has to hold to."""

import pathlib
import re
import tempfile
import unittest

from chart import (CHART, CI_FILES, HELM, KUBERNETES, NAMESPACE, RELEASE, containers, helm, load,
                   of_kind, pod_template, render)

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
MONITORING = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "AlertmanagerConfig"}


@unittest.skipUnless(HELM, "helm is not installed")
class Manifests(unittest.TestCase):
    def check_each(self, check):
        """check(documents) for every ci file, as a release with a short and with a long name."""
        for path in CI_FILES:
            for release in (RELEASE, "r" * 53):
                with self.subTest(path.name, release=release):
                    check(render(path, release=release))

    def check_each_pod(self, check):
        def check_pods(documents):
            for document in documents:
                pod = pod_template(document)
                if pod is not None:
                    with self.subTest(f"{document['kind']} {document['metadata']['name']}"):
                        check(pod)
        self.check_each(check_pods)

    def test_helm_finds_nothing_to_say_against_them(self):
        for path in CI_FILES:
            with self.subTest(path.name):
                result = helm("lint", "--strict", CHART, "--kube-version", KUBERNETES,
                              "--values", path)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                self.assertNotIn("[WARNING]", result.stdout)

    def test_each_has_one_name_of_its_own_that_fits(self):
        limits = {"CronJob": 52, "Service": 63, "Deployment": 63}
        def check(documents):
            seen = set()
            for document in documents:
                metadata = document["metadata"]
                self.assertRegex(metadata["name"], f"^{NAME.pattern}$")
                self.assertLessEqual(len(metadata["name"]), limits.get(document["kind"], 253))
                key = document["kind"], metadata["namespace"], metadata["name"]
                self.assertNotIn(key, seen)
                seen.add(key)
        self.check_each(check)

    def test_each_says_whose_it_is(self):
        def check(documents):
            for document in documents:
                labels = document["metadata"]["labels"]
                for name in ("name", "instance", "component", "version", "part-of", "managed-by"):
                    self.assertIn(f"app.kubernetes.io/{name}", labels)
                self.assertEqual(labels["helm.sh/chart"], "bucketferry-0.1.0")
                for value in labels.values():
                    self.assertRegex(value, r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
        self.check_each(check)

    def test_selectors_select_the_pods_of_one_component_each(self):
        def check(documents):
            pods = [(document, pod_template(document)["metadata"]["labels"])
                    for document in documents if pod_template(document) is not None]
            services = [(document, document["metadata"]["labels"])
                        for document in of_kind(documents, "Service")]
            for document in documents:
                spec = document.get("spec", {})
                wanted = {"Service": lambda: spec["selector"],
                          "Deployment": lambda: spec["selector"]["matchLabels"],
                          "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],
                          "PodMonitor": lambda: spec["selector"]["matchLabels"],
                          "ServiceMonitor": lambda: spec["selector"]["matchLabels"],
                          }.get(document["kind"])
                if wanted is None:
                    continue
                among = services if document["kind"] == "ServiceMonitor" else pods
                found = {labels["app.kubernetes.io/component"] for _, labels in among
                         if wanted().items() <= labels.items()}
                self.assertEqual(found, {wanted()["app.kubernetes.io/component"]}, document["kind"])
                # A selector may never change, so nothing that does may be in it.
                self.assertEqual(len(wanted()), 3)
        self.check_each(check)

    def test_pods_are_confined(self):
        def check(pod):
            spec = pod["spec"]
            self.assertIs(spec["automountServiceAccountToken"], False)
            self.assertIs(spec["enableServiceLinks"], False)
            self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
            self.assertEqual(spec["securityContext"]["runAsUser"], 65532)
            self.assertEqual(spec["securityContext"]["fsGroupChangePolicy"], "OnRootMismatch")
            self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            for one in containers(pod):
                self.assertEqual(one["securityContext"], {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]}})
                self.assertIn("memory", one["resources"]["limits"])
                self.assertIn("memory", one["resources"]["requests"])
                self.assertRegex(one["image"], r"^registry\.example/bucketferry[:@].+")
            tmp = next(volume for volume in spec["volumes"] if volume["name"] == "tmp")
            self.assertIn("sizeLimit", tmp["emptyDir"])
        self.check_each_pod(check)

    def test_volumes_and_mounts_belong_together(self):
        def check(pod):
            volumes = [volume["name"] for volume in pod["spec"]["volumes"]]
            self.assertEqual(len(volumes), len(set(volumes)))
            mounted = set()
            for one in containers(pod):
                mounts = one.get("volumeMounts", [])
                paths = [mount["mountPath"] for mount in mounts]
                self.assertEqual(len(paths), len(set(paths)))
                mounted |= {mount["name"] for mount in mounts}
            self.assertEqual(mounted, set(volumes))
        self.check_each_pod(check)

    def test_commands_hold_nothing_that_kubernetes_would_expand(self):
        # $(NAME) of the container's own environment, and $$; it leaves other $(...) as they are.
        def check(pod):
            for one in containers(pod):
                names = {entry["name"] for entry in one.get("env", [])}
                for word in one["command"] + one.get("args", []):
                    self.assertNotIn("$$", word)
                    self.assertEqual(set(re.findall(r"\$\(([^)]*)\)", word)) & names, set())
        self.check_each_pod(check)

    def test_no_secret_is_made_or_written_out(self):
        def check(documents):
            self.assertEqual(of_kind(documents, "Secret"), [])
            for document in documents:
                for one in containers(pod_template(document) or {"spec": {"containers": []}}):
                    for entry in one.get("env", []):
                        if entry["name"] in ("BUCKETFERRY_DATABASE", "BUCKETFERRY_STATUS_TOKEN"):
                            self.assertTrue("valueFrom" in entry or entry["value"] == "embedded")
        self.check_each(check)

    def test_all_are_in_the_namespace_of_the_release_unless_values_say_otherwise(self):
        def check(documents):
            for document in documents:
                elsewhere = document["kind"] in MONITORING or (
                    document["metadata"]["labels"]["app.kubernetes.io/component"] == "dashboard")
                if not elsewhere:
                    self.assertEqual(document["metadata"]["namespace"], NAMESPACE)
        self.check_each(check)

    def test_a_package_makes_the_same_of_its_links(self):
        path = CHART / "ci/everything-values.yaml"
        with tempfile.TemporaryDirectory(prefix="bucketferry-helm.") as folder:
            result = helm("package", CHART, "--destination", folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            package, = pathlib.Path(folder).iterdir()
            self.assertEqual(render([path], chart=package), render(path))

    def test_each_task_of_the_values_has_a_cron_job(self):
        for path in CI_FILES:
            with self.subTest(path.name):
                jobs = of_kind(render(path), "CronJob")
                self.assertEqual({job["metadata"]["labels"]["bucketferry/task"] for job in jobs},
                                 set(load(path)["tasks"]))


if __name__ == "__main__":
    unittest.main()
