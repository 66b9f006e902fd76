"""CronJobs, exporter, hook and listen: what runs where, with what."""

import http.server
import subprocess
import tempfile
import threading
import unittest

import yaml

from chart import (BUILD, CHART, CI_FILES, HELM, ci, container, containers, environment, load,
                   of_kind, only, pod_template, render)

BASE = ci("minimal")
FAR = "postgresql://ferry@127.0.0.1:1/ferry"  # nobody listens there


def cron_pod(documents):
    return pod_template(only(documents, "CronJob"))


def config_map(documents):
    return only(documents, "ConfigMap", "config")["data"]


@unittest.skipUnless(HELM, "helm is not installed")
class CronJob(unittest.TestCase):
    def test_it_runs_one_task_and_nothing_beside_it(self):
        job = only(render(BASE), "CronJob")
        self.assertEqual(job["spec"]["schedule"], "17 2 * * *")
        self.assertEqual(job["spec"]["timeZone"], "Asia/Shanghai")
        self.assertEqual(job["spec"]["concurrencyPolicy"], "Forbid")
        one = container(cron_pod(render(BASE)), "bucketferry")
        self.assertEqual(one["args"], ["75", "/usr/bin/bucketferry", "run", "--task", "media",
                                       "--log", "json", "--log-level", "info"])

    def test_the_script_is_run_sh_without_its_comments(self):
        shell, option, script, name = container(cron_pod(render(BASE)), "bucketferry")["command"]
        self.assertEqual((shell, option, name), ("/bin/sh", "-c", "run.sh"))
        lines = (CHART / "files/run.sh").read_text().splitlines()
        self.assertEqual(script.splitlines(),
                         [line for line in lines if line and not line.lstrip().startswith("#")])

    def test_no_wrong_configuration_and_no_dead_object_is_tried_again_and_no_stop_is_counted(self):
        job = only(render(BASE), "CronJob")["spec"]["jobTemplate"]["spec"]
        self.assertEqual(job["template"]["spec"]["restartPolicy"], "Never")
        self.assertEqual(job["backoffLimit"], 2)
        rules = job["podFailurePolicy"]["rules"]
        codes = [(rule["action"], rule["onExitCodes"]["operator"], rule["onExitCodes"]["values"])
                 for rule in rules if "onExitCodes" in rule]
        self.assertEqual(codes, [("FailJob", "In", [1, 2]), ("Ignore", "In", [5])])
        self.assertEqual({rule["onExitCodes"]["containerName"] for rule in rules
                          if "onExitCodes" in rule}, {"bucketferry"})
        self.assertEqual([(rule["action"], rule["onPodConditions"]) for rule in rules
                          if "onPodConditions" in rule],
                         [("Ignore", [{"type": "DisruptionTarget", "status": "True"}])])

    def test_a_task_differs_from_the_others_where_it_says_so(self):
        documents = render(ci("everything"))
        jobs = {job["metadata"]["name"]: job["spec"] for job in of_kind(documents, "CronJob")}
        archive, media = jobs["ferry-bucketferry-archive"], jobs["ferry-bucketferry-media"]
        self.assertEqual(archive["timeZone"], "Europe/Berlin")
        self.assertNotIn("timeZone", media)
        self.assertEqual(archive["jobTemplate"]["spec"]["backoffLimit"], 4)
        self.assertEqual(media["jobTemplate"]["spec"]["backoffLimit"], 2)
        two = next(job for job in of_kind(render(ci("sidecar")), "CronJob")
                   if job["metadata"]["name"].endswith("-two"))
        self.assertIs(two["spec"]["suspend"], True)
        self.assertEqual(container(pod_template(two), "bucketferry")["args"][-1], "debug")

    def test_resources_of_a_task_take_the_place_of_the_usual_ones(self):
        one = container(cron_pod(render(ci("deployment"))), "bucketferry")
        self.assertEqual(one["resources"], {"requests": {"memory": "640Mi"},
                                            "limits": {"memory": "1Gi"}})

    def test_the_second_look_comes_when_the_lease_is_over(self):
        look = lambda documents: container(
            pod_template(of_kind(documents, "CronJob")[0]), "bucketferry")["args"][0]
        self.assertEqual(look(render(BASE)), "75")
        self.assertEqual(look(render(ci("deployment"))), "135")
        self.assertEqual(look(render(ci("existing"))), "135")

    def test_long_names_are_cut_and_stay_different(self):
        tasks = ["m" * 39 + end for end in "ab"]
        values = load(BASE)
        values["config"]["tasks"] = [{"name": name} for name in tasks]
        values["tasks"] = {name: {"schedule": "@daily"} for name in tasks}
        documents = render([values], release="r" * 53)
        names = [job["metadata"]["name"] for job in of_kind(documents, "CronJob")]
        self.assertEqual([len(name) for name in names], [52, 52])
        self.assertNotEqual(*names)

    def test_an_end_after_which_nobody_waits_is_there_only_if_asked_for(self):
        spec = lambda path: only(render(path), "CronJob")["spec"]["jobTemplate"]["spec"]
        self.assertNotIn("activeDeadlineSeconds", spec(BASE))
        self.assertEqual(spec(ci("deployment"))["activeDeadlineSeconds"], 86000)


@unittest.skipUnless(HELM, "helm is not installed")
class Exporter(unittest.TestCase):
    def test_by_default_it_is_beside_each_run_and_outlives_them(self):
        documents = render(BASE)
        self.assertEqual([one["name"] for one in cron_pod(documents)["spec"]["initContainers"]],
                         ["exporter"])
        deployment = only(documents, "Deployment")
        self.assertEqual(deployment["spec"]["replicas"], 1)
        self.assertEqual(deployment["spec"]["strategy"], {"type": "Recreate"})
        self.assertEqual(only(documents, "Service")["spec"]["ports"][0]["port"], 9847)

    def test_a_mode_is_one_of_the_two(self):
        documents = render(ci("deployment"))
        self.assertNotIn("initContainers", cron_pod(documents)["spec"])
        documents = render(ci("sidecar"))
        self.assertEqual(of_kind(documents, "Deployment") + of_kind(documents, "Service"), [])

    def test_the_sidecar_is_up_before_the_batch_and_ends_after_it(self):
        one = container(cron_pod(render(BASE)), "exporter")
        self.assertEqual(one["restartPolicy"], "Always")
        self.assertEqual(one["startupProbe"]["httpGet"], {"path": "/-/healthy", "port": "metrics"})
        self.assertNotIn("lifecycle", one)
        self.assertEqual(one["args"][-2:], ["--linger", "70s"])

    def test_the_grace_period_holds_the_linger_and_the_end_of_the_batch(self):
        grace = lambda documents: pod_template(
            of_kind(documents, "CronJob")[0])["spec"]["terminationGracePeriodSeconds"]
        self.assertEqual(grace(render(BASE)), 70 + 20 + 10)
        self.assertEqual(grace(render(ci("sidecar"))), 40 + 20 + 10)
        self.assertEqual(grace(render(ci("deployment"))), 20 + 10)
        self.assertEqual(grace(render([BASE, {"metrics": {"scrapeInterval": "1m"}}])), 130 + 30)
        self.assertEqual(grace(render([BASE, {"metrics": {"scrapeInterval": "40m"}}])), 3600 + 30)
        self.assertEqual(grace(render([BASE, {"exporter": {"lingerSeconds": 5}}])), 5 + 30)
        self.assertEqual(grace(render([BASE, {"exporter": {"lingerSeconds": 0}}])), 30)

    def test_it_is_ready_although_the_database_is_away(self):
        one = containers(pod_template(only(render(BASE), "Deployment")))[0]
        self.assertEqual(one["readinessProbe"]["httpGet"]["path"], "/-/healthy")

    def test_it_gets_no_keys_of_stores(self):
        for path in CI_FILES:
            for document in render(path):
                pod = pod_template(document)
                for one in containers(pod) if pod else []:
                    if one["name"] == "exporter":
                        self.assertNotIn("envFrom", one)
                        self.assertFalse([mount for mount in one["volumeMounts"]
                                          if mount["name"].startswith("secret-")])

    def test_it_may_have_a_role_of_its_own(self):
        documents = render(ci("deployment"))
        key = lambda one: environment(one)["BUCKETFERRY_DATABASE"]["valueFrom"]["secretKeyRef"]
        self.assertEqual(key(container(cron_pod(documents), "bucketferry")),
                         {"name": "bucketferry-database", "key": "url"})
        exporter = containers(pod_template(only(documents, "Deployment")))[0]
        self.assertEqual(key(exporter), {"name": "bucketferry-database-reader", "key": "address"})
        self.assertEqual(environment(exporter)["BUCKETFERRY_STATUS_TOKEN"]["valueFrom"],
                         {"secretKeyRef": {"name": "status-token", "key": "token"}})


@unittest.skipUnless(HELM, "helm is not installed")
class Hook(unittest.TestCase):
    def test_it_listens_where_its_service_leads_and_asks_for_the_token(self):
        documents = render(ci("everything"))
        pod = pod_template(only(documents, "Deployment", "hook"))
        one = containers(pod)[0]
        self.assertEqual(one["args"][0], "hook")
        self.assertEqual(only(documents, "Service", "hook")["spec"]["ports"][0]["port"], 9848)
        config = yaml.safe_load(config_map(documents)["bucketferry.yaml"])
        self.assertEqual(config["hook"], {"listen": "0.0.0.0:9848", "token_file":
                                          "/run/secrets/bucketferry-hook/token"})
        mount = next(mount for mount in one["volumeMounts"] if mount["name"] == "hook-token")
        self.assertEqual(mount["mountPath"], "/run/secrets/bucketferry-hook")
        volume = next(v for v in pod["spec"]["volumes"] if v["name"] == "hook-token")
        self.assertEqual(volume["secret"], {"secretName": "bucketferry-hook", "defaultMode": 0o440,
                                            "items": [{"key": "token", "path": "token"}]})

    def test_what_the_configuration_says_of_it_wins(self):
        tls = {"certificate": "/tls/tls.crt", "key": "/tls/tls.key", "client_ca": "/tls/ca.crt"}
        documents = render([BASE, {"config": {"hook": {"listen": "0.0.0.0:9848", "tls": tls}},
                                   "hook": {"enabled": True, "probes": "tcp"}}])
        config = yaml.safe_load(config_map(documents)["bucketferry.yaml"])
        self.assertEqual(config["hook"], {"listen": "0.0.0.0:9848", "tls": tls})
        one = containers(pod_template(only(documents, "Deployment", "hook")))[0]
        self.assertEqual(one["readinessProbe"]["tcpSocket"], {"port": "webhook"})
        self.assertEqual(one["livenessProbe"]["tcpSocket"], {"port": "webhook"})


@unittest.skipUnless(HELM, "helm is not installed")
class Listen(unittest.TestCase):
    def events(self, *places, listen=None, **values):
        tasks = [{**task, "events": {"from": list(places)}} for task in load(BASE)["config"]["tasks"]]
        return [BASE, {"config": {"tasks": tasks, **({"listen": listen} if listen else {})},
                       "listen": {"enabled": True, **values}}]

    def test_it_is_there_only_if_asked_for(self):
        self.assertEqual(of_kind(render(BASE), "Deployment", "listen"), [])
        self.assertNotIn("listen", yaml.safe_load(config_map(render(BASE))["bucketferry.yaml"]))

    def test_it_listens_where_its_service_leads_and_asks_for_the_token(self):
        documents = render(ci("everything"))
        pod = pod_template(only(documents, "Deployment", "listen"))
        one, = containers(pod)
        self.assertEqual(one["args"], ["listen", "--log", "json", "--log-level", "info"])
        self.assertEqual(one["ports"], [{"name": "events", "containerPort": 9849}])
        self.assertEqual(only(documents, "Service", "listen")["spec"]["ports"],
                         [{"name": "events", "port": 9849, "targetPort": "events"}])
        for probe in ("readinessProbe", "livenessProbe"):
            self.assertEqual(one[probe]["httpGet"], {"path": "/healthz", "port": "events"})
        config = yaml.safe_load(config_map(documents)["bucketferry.yaml"])
        self.assertEqual(config["listen"], {"address": "0.0.0.0:9849", "token_file":
                                            "/run/secrets/bucketferry-listen/token"})
        mount = next(mount for mount in one["volumeMounts"] if mount["name"] == "listen-token")
        self.assertEqual(mount["mountPath"], "/run/secrets/bucketferry-listen")
        volume = next(v for v in pod["spec"]["volumes"] if v["name"] == "listen-token")
        self.assertEqual(volume["secret"], {
            "secretName": "bucketferry-events", "defaultMode": 0o440,
            "items": [{"key": "token", "path": "token"}]})

    def test_nobody_else_gets_its_token_and_it_gets_that_of_nobody_else(self):
        having = {}
        for document in render(ci("everything")):
            pod = pod_template(document)
            for volume in pod["spec"]["volumes"] if pod else []:
                if volume["name"] in ("hook-token", "listen-token"):
                    having.setdefault(volume["name"], []).append(document["metadata"]["name"])
        self.assertEqual(having, {"hook-token": ["ferry-bucketferry-hook"],
                                  "listen-token": ["ferry-bucketferry-listen"]})

    def test_there_is_one_which_has_the_keys_of_stores_and_the_time_to_end(self):
        deployment = only(render(ci("everything")), "Deployment", "listen")["spec"]
        self.assertEqual(deployment["replicas"], 1)
        self.assertEqual(deployment["strategy"], {"type": "Recreate"})
        pod = pod_template({"kind": "Deployment", "spec": deployment})
        self.assertEqual(pod["spec"]["terminationGracePeriodSeconds"], 20 + 10)
        one, = containers(pod)
        self.assertEqual(one["envFrom"], [{"secretRef": {"name": "bucketferry-webhooks"}}])
        self.assertIn("/run/secrets/stores", [mount["mountPath"] for mount in one["volumeMounts"]])

    def test_for_queues_alone_there_is_no_port_and_nobody_asks_for_one(self):
        queues = {"queues": {"drops": {"url": "https://sqs.us-east-1.amazonaws.com/1/drops"}}}
        documents = render(self.events("drops", listen=queues, webhooks=False)
                           + [{"networkPolicy": {"enabled": True}}])
        one, = containers(pod_template(only(documents, "Deployment", "listen")))
        self.assertEqual({"ports", "readinessProbe", "livenessProbe"} & set(one), set())
        self.assertEqual(of_kind(documents, "Service", "listen"), [])
        self.assertEqual(only(documents, "NetworkPolicy", "listen")["spec"]["ingress"], [])
        config = yaml.safe_load(config_map(documents)["bucketferry.yaml"])
        self.assertEqual(config["listen"], queues)

    def test_what_the_configuration_says_of_it_wins_and_is_kept(self):
        listen = {"token_file": "/t", "tls": {"certificate": "/tls/tls.crt", "key": "/tls/tls.key"},
                  "queues": {"drops": {"url": "https://sqs.us-east-1.amazonaws.com/1/drops"}}}
        documents = render(self.events("drops", "webhook", listen=listen, probes="tcp"))
        config = yaml.safe_load(config_map(documents)["bucketferry.yaml"])
        self.assertEqual(config["listen"], {"address": "0.0.0.0:9849", **listen})
        one, = containers(pod_template(only(documents, "Deployment", "listen")))
        for probe in ("readinessProbe", "livenessProbe"):
            self.assertEqual(one[probe]["tcpSocket"], {"port": "events"})
            self.assertNotIn("httpGet", one[probe])

    def test_with_the_configuration_of_somebody_else_it_is_as_the_values_say(self):
        values = [ci("existing"), {"listen": {"enabled": True, "existingSecret": "s"}}]
        documents = render(values)
        pod = pod_template(only(documents, "Deployment", "listen"))
        self.assertIn("listen-token", [volume["name"] for volume in pod["spec"]["volumes"]])
        self.assertEqual(len(of_kind(documents, "Service", "listen")), 1)


@unittest.skipUnless(HELM, "helm is not installed")
class Configuration(unittest.TestCase):
    def test_it_arrives_as_it_was_given(self):
        for path in CI_FILES:
            given = load(path).get("config")
            if given:
                with self.subTest(path.name):
                    arrived = yaml.safe_load(config_map(render(path))["bucketferry.yaml"])
                    for added in ("hook", "listen"):
                        arrived.pop(added, None)
                    self.assertEqual(arrived, given)

    def test_large_numbers_and_templates_of_others_survive(self):
        text = lambda name: config_map(render(ci(name)))["bucketferry.yaml"]
        self.assertIn("max_delete: 1000000\n", text("deployment"))
        self.assertIn("{{text}}", text("everything"))

    def test_files_lie_beside_it(self):
        self.assertEqual(config_map(render(ci("deployment")))["ignore.txt"],
                         "*.tmp\n**/drafts/**\n")

    def test_pods_of_deployments_are_replaced_when_it_changes(self):
        checksum = lambda documents: pod_template(
            only(documents, "Deployment"))["metadata"]["annotations"]["checksum/config"]
        changed = render([BASE, {"config": {"history": "60d"}}])
        self.assertNotEqual(checksum(render(BASE)), checksum(changed))

    def test_one_that_somebody_else_made_is_mounted(self):
        documents = render(ci("existing"))
        self.assertEqual(of_kind(documents, "ConfigMap", "config"), [])
        for document in of_kind(documents, "CronJob"):
            self.assertIn({"name": "config", "secret": {"secretName": "ferry-config"}},
                          pod_template(document)["spec"]["volumes"])

    @unittest.skipUnless((BUILD / "bucketferry").exists(), "the programs are not built")
    def test_the_program_takes_every_one_of_them(self):
        for path in CI_FILES:
            if not load(path).get("config"):
                continue
            with self.subTest(path.name), tempfile.TemporaryDirectory() as folder:
                for name, text in config_map(render(path)).items():
                    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                        file.write(text)
                result = subprocess.run(
                    [BUILD / "bucketferry", "status", "--config", f"{folder}/bucketferry.yaml"],
                    env={"BUCKETFERRY_DATABASE": FAR, "LAB_ENDPOINT": "https://lab.example"},
                    capture_output=True, text=True, timeout=60, check=False)
                # It goes on to the database: usage and configuration were good.
                self.assertEqual(result.returncode, 3, result.stderr)

    @unittest.skipUnless((BUILD / "bucketferry").exists(), "the programs are not built")
    def test_the_programs_know_the_options_they_are_given(self):
        commands = set()
        for path in CI_FILES:
            for document in render(path):
                for one in containers(pod_template(document) or {"spec": {"containers": []}}):
                    words = one["command"] + one.get("args", [])
                    start = next((i for i, word in enumerate(words)
                                  if word.startswith("/usr/bin/")), None)
                    if start is not None:
                        commands.add(tuple(words[start:]))
        self.assertEqual({words[0] for words in commands},
                         {"/usr/bin/bucketferry", "/usr/bin/bucketferry-exporter"})
        for program, *words in sorted(commands):
            with self.subTest(" ".join([program, *words])):
                result = subprocess.run(
                    [BUILD / program.rsplit("/", 1)[1], *words, "--config", "/nowhere.yaml"],
                    env={}, capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn("/nowhere.yaml", result.stderr)


class MetricsPage(http.server.BaseHTTPRequestHandler):
    up = 1

    def do_GET(self):
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(f"# TYPE bucketferry_up gauge\nbucketferry_up {self.up}\n".encode())

    def log_message(self, *_):
        pass


@unittest.skipUnless(HELM, "helm is not installed")
class TestPod(unittest.TestCase):
    def test_it_migrates_checks_and_reads_the_metrics(self):
        pod = only(render(BASE), "Pod")
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
        self.assertEqual([one["name"] for one in containers(pod)], ["migrate", "check", "scrape"])
        self.assertNotIn("env", container(pod, "scrape"))
        self.assertEqual(container(pod, "scrape")["command"][-1], "ferry-bucketferry-exporter")

    def test_it_passes_only_if_the_exporter_has_its_database(self):
        shell, option, script, *_ = container(only(render(BASE), "Pod"), "scrape")["command"]
        server = http.server.HTTPServer(("127.0.0.1", 0), MetricsPage)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        script = script.replace("/9847", f"/{server.server_port}")
        for up, code in ((1, 0), (0, 1)):
            MetricsPage.up = up
            result = subprocess.run([shell, option, script, "scrape", "127.0.0.1"], text=True,
                                    capture_output=True, timeout=30, check=False)
            self.assertEqual(result.stdout, f"bucketferry_up {up}\n", result.stderr)
            self.assertEqual(result.returncode, code)

    def test_there_is_none_beside_the_one_pod_of_the_embedded_database(self):
        self.assertEqual(of_kind(render(ci("embedded")), "Pod"), [])


@unittest.skipUnless(HELM, "helm is not installed")
class Image(unittest.TestCase):
    def image(self, path, *changes):
        documents = render([path, *changes])
        return containers(pod_template(of_kind(documents, "CronJob")[0]))[0]["image"]

    def test_the_tag_is_the_version_of_the_programs_unless_said_otherwise(self):
        version = load(CHART / "Chart.yaml")["appVersion"]
        name = "registry.example/bucketferry"
        self.assertEqual(self.image(BASE), f"{name}:{version}")
        self.assertEqual(self.image(ci("embedded")), f"{name}:{version}-embedded")
        self.assertEqual(self.image(ci("deployment")), f"{name}:0.1.0-7")
        self.assertEqual(self.image(ci("sidecar")), name + "@sha256:" + "0123456789abcdef" * 4)
        self.assertEqual(self.image(ci("embedded"), {"image": {"tag": "mine"}}), f"{name}:mine")


@unittest.skipUnless(HELM, "helm is not installed")
class Embedded(unittest.TestCase):
    def test_both_programs_of_the_one_pod_share_a_claim_that_stays(self):
        documents = render(ci("embedded"))
        self.assertEqual([document["kind"] for document in documents if pod_template(document)],
                         ["CronJob"])
        claim = only(documents, "PersistentVolumeClaim")
        self.assertEqual(claim["metadata"]["annotations"], {"helm.sh/resource-policy": "keep"})
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        pod = cron_pod(documents)
        self.assertIn({"name": "state", "persistentVolumeClaim": {
            "claimName": claim["metadata"]["name"]}}, pod["spec"]["volumes"])
        for one in containers(pod):
            self.assertEqual(environment(one)["BUCKETFERRY_DATABASE"]["value"], "embedded")
            place = environment(one)["BUCKETFERRY_STATE_DIR"]["value"]
            self.assertIn({"name": "state", "mountPath": place}, one["volumeMounts"])

    def test_the_server_is_started_by_the_container_that_ends_last(self):
        one = container(cron_pod(render(ci("embedded"))), "exporter")
        self.assertEqual(one["startupProbe"]["httpGet"]["path"], "/-/ready")
        self.assertEqual(one["resources"]["limits"]["memory"], "1Gi")

    def test_a_claim_of_ones_own_is_used(self):
        documents = render([ci("embedded"), {"database": {"embedded": {
            "size": "", "existingClaim": "mine"}}}])
        self.assertEqual(of_kind(documents, "PersistentVolumeClaim"), [])
        self.assertIn({"name": "state", "persistentVolumeClaim": {"claimName": "mine"}},
                      cron_pod(documents)["spec"]["volumes"])


if __name__ == "__main__":
    unittest.main()
