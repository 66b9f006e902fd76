"""What the chart refuses, and what it says then; and what it says after an installation."""

import pathlib
import shutil
import tempfile
import unittest

import yaml

from chart import CHART, HELM, ci, load, template

BASE, EMBEDDED, ALL = ci("minimal"), ci("embedded"), ci("everything")
STORE = {"overseas": {"credentials": {"access_key_id": "AKIA", "secret_access_key": "s3cr3t"}}}
TWO = {"tasks": {"other": {"schedule": "@daily"}},
       "config": {"tasks": [{"name": "media"}, {"name": "other"}]}}
LISTEN = {"enabled": True, "existingSecret": "s"}


def events(*places, **config):
    return {"config": {"tasks": [{"name": "media", "events": {"from": list(places)}}], **config}}


# name -> values, Kubernetes (None: a usual one), what the message has in it
CASES = {
    "no image": ([BASE, {"image": {"repository": ""}}], None, "image.repository: say where"),
    "no configuration": ([BASE, {"config": None}], None, "config, existingConfigMap or"),
    "embedded, no task": ([EMBEDDED, {"tasks": None}], None, "tasks has 0"),
    "two configurations": ([BASE, {"existingConfigMap": "c"}], None, "in exactly one of them"),
    "files without config": ([ci("existing"), {"files": {"a": "b"}}], None, "files: they are for"),
    "a task that is not configured": (
        [BASE, {"tasks": {"mdia": {"schedule": "@daily"}}}], None,
        "tasks.mdia: config.tasks has no such task (it has: media)"),
    "an unknown value": ([BASE, {"exporter": {"mod": "both"}}], None, "not allowed"),
    "a wrong mode": ([BASE, {"exporter": {"mode": "none"}}], None, "exporter"),
    "a secret key written out": ([BASE, {"config": {"stores": STORE}}], None,
                                 "config.stores.overseas.credentials.secret_access_key"),
    "a token of a target written out": (
        [BASE, {"config": {"refresh_targets": {"gw": {"credentials": {"session_token": "t"}}}}}],
        None, "config.refresh_targets.gw.credentials.session_token"),
    "a password written out": (
        [BASE, {"config": {"database": "postgresql://ferry:pw@db/ferry"}}], None,
        "config.database: its password"),
    "a password as a parameter": (
        [BASE, {"config": {"database": "postgresql://ferry@db/ferry?password=pw"}}], None,
        "config.database: its password"),
    "no database": ([BASE, {"database": {"existingSecret": ""}}], None,
                    "database.existingSecret: name a Secret"),
    "the embedded database by mistake": (
        [BASE, {"database": {"existingSecret": ""}, "config": {"database": "embedded"}}], None,
        "database.existingSecret: name a Secret"),
    "two databases": ([EMBEDDED, {"database": {"existingSecret": "s"}}], None, "one of the two"),
    "embedded, two tasks": ([EMBEDDED, TWO], None, "tasks has 2"),
    "embedded, a Deployment": ([EMBEDDED, {"exporter": {"mode": "both"}}], None,
                               "exporter.mode is both"),
    "embedded, the hook": ([EMBEDDED, {"hook": {"enabled": True, "existingSecret": "s"}}], None,
                           "hook.enabled would be another pod"),
    "embedded, listen": ([EMBEDDED, {"listen": LISTEN}], None,
                         "listen.enabled would be another pod"),
    "embedded, no claim": ([EMBEDDED, {"database": {"embedded": {"size": ""}}}], None,
                           "give database.embedded.size or"),
    "embedded, two claims": (
        [EMBEDDED, {"database": {"embedded": {"existingClaim": "c"}}}], None, "not both"),
    "a sidecar on an old Kubernetes": ([ci("sidecar")], "1.28.9", "needs Kubernetes 1.29"),
    "both on an old Kubernetes": ([BASE], "1.28.9", "set exporter.mode to deployment"),
    "a Kubernetes without podFailurePolicy": ([ci("deployment")], "1.25.0", ">=1.26.0-0"),
    "a hook for everybody": ([BASE, {"hook": {"enabled": True}}], None,
                             "hook.existingSecret: name a Secret"),
    "a hook for everybody, with TLS": (
        [BASE, {"hook": {"enabled": True, "probes": "tcp"},
                "config": {"hook": {"tls": {"certificate": "/c", "key": "/k"}}}}], None,
        "hook.existingSecret: name a Secret"),
    "probes that a hook with TLS cannot answer": (
        [BASE, {"hook": {"enabled": True}, "config": {"hook": {"tls": {"client_ca": "/a"}}}}], None,
        "hook.probes: set tcp"),
    "nothing to listen to": ([BASE, {"listen": LISTEN}], None,
                             "listen.enabled: no task of config.tasks has events"),
    "a port that nobody opens": ([BASE, events("drops"), {"listen": LISTEN}], None,
                                 "listen.webhooks: set false"),
    "webhooks without a port": (
        [BASE, events("drops", "webhook"), {"listen": {**LISTEN, "webhooks": False}}], None,
        "listen.webhooks: set true"),
    "events of everybody": ([BASE, events("webhook"), {"listen": {"enabled": True}}], None,
                            "listen.existingSecret: name a Secret"),
    "events of everybody with a certificate": (
        [BASE, events("webhook", listen={"tls": {"certificate": "/c", "key": "/k", "client_ca": "/a"}}),
         {"listen": {"enabled": True, "probes": "tcp"}}], None,
        "listen.existingSecret: name a Secret"),
    "probes that listen with TLS cannot answer": (
        [BASE, events("webhook", listen={"tls": {"certificate": "/c", "key": "/k"}}), {"listen": LISTEN}],
        None, "listen.probes: set tcp"),
    "events of nobody, or of everybody": (
        [BASE, events("webhook"), {"listen": LISTEN, "networkPolicy": {"enabled": True}}], None,
        "networkPolicy.listenFrom: name who"),
    "routes to no hook": ([BASE, {"metrics": {"alertmanagerConfig": {"enabled": True}}}], None,
                          "metrics.alertmanagerConfig: it leads to the hook"),
    "a monitor of no Deployment": (
        [ci("sidecar"), {"metrics": {"serviceMonitor": {"enabled": True}}}], None,
        "metrics.serviceMonitor: exporter.mode sidecar"),
    "a monitor of no sidecar": (
        [ci("deployment"), {"metrics": {"podMonitor": {"enabled": True}}}], None,
        "metrics.podMonitor: exporter.mode deployment"),
    "an alert that does not exist": (
        [ALL, {"metrics": {"prometheusRule": {"excludeRules": ["Bucketfairy"]}}}], None,
        "there is no rule Bucketfairy"),
    "a lease that is no time": ([BASE, {"config": {"transfer": {"lease": "a minute"}}}], None,
                                "config.transfer.lease: a minute is no time"),
}


@unittest.skipUnless(HELM, "helm is not installed")
class Refusals(unittest.TestCase):
    def test_each_says_which_value_is_wrong(self):
        for what, (values, kubernetes, text) in CASES.items():
            with self.subTest(what):
                result = template(values, **({"kubernetes": kubernetes} if kubernetes else {}))
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(text, result.stderr)

    def test_what_looks_like_one_of_them_is_taken(self):
        named = {"overseas": {"credentials": {"access_key_id": "${KEY}", "file": None,
                                              "secret_access_key": "${SECRET}"}}}
        cases = {
            "a secret by its name": [BASE, {"config": {"stores": named}}],
            "a password by its name": [BASE, {"config": {
                "database": "postgresql://ferry:${PASSWORD}@db/ferry"}}],
            "a database without password": [BASE, {
                "database": {"existingSecret": ""},
                "config": {"database": "postgresql://ferry@db.example:5432/ferry"}}],
        }
        for what, values in cases.items():
            with self.subTest(what):
                result = template(values)
                self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(template(ci("deployment"), kubernetes="1.26.0").returncode, 0)
        self.assertEqual(template(BASE, kubernetes="1.29.0-eks-1a2b3c").returncode, 0)


@unittest.skipUnless(HELM, "helm is not installed")
class Notes(unittest.TestCase):
    """helm shows them at an installation only, so they are made a manifest here."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="bucketferry-helm.")
        cls.chart = pathlib.Path(cls.folder.name) / "bucketferry"
        shutil.copytree(CHART, cls.chart)
        notes = (CHART / "templates/NOTES.txt").read_text()
        (cls.chart / "templates/zz-notes.yaml").write_text(
            '{{- define "notes" }}' + notes + '{{ end }}\nnotes: {{ include "notes" . | quote }}\n')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def notes(self, *values):
        result = template(list(values), "--show-only", "templates/zz-notes.yaml", chart=self.chart)
        self.assertEqual(result.returncode, 0, result.stderr)
        return yaml.safe_load(result.stdout)["notes"]

    def test_they_name_each_task_and_its_cron_job(self):
        notes = self.notes(ALL)
        for task in load(ALL)["tasks"]:
            self.assertIn(f"--from=cronjob/ferry-bucketferry-{task} {task}-now", notes)
        self.assertIn("helm test ferry -n transfer", notes)
        self.assertNotIn("NOTE", notes)

    def test_they_say_what_does_not_run_or_is_not_called(self):
        tasks = [{"name": "media", "refresh": ["gateway"],
                  "notify": {"targets": ["team"], "via": "run"}}, {"name": "other"}]
        notes = self.notes(BASE, {"config": {"tasks": tasks}})
        self.assertIn("task other of the configuration has no schedule", notes)
        self.assertIn("task media has refresh targets that Alertmanager should call", notes)
        self.assertNotIn("has notify targets", notes)

    def test_they_say_that_nobody_takes_the_events_in(self):
        self.assertIn("task media of the configuration has events, but listen.enabled is false",
                      self.notes(BASE, events("webhook")))
        self.assertNotIn("has events", self.notes(BASE, events("webhook"), {"listen": LISTEN}))

    def test_they_say_that_nothing_scrapes_the_sidecar(self):
        self.assertIn("waits up to 70 s", self.notes(BASE))
        self.assertNotIn("waits up to", self.notes(ci("deployment")))
        self.assertNotIn("waits up to", self.notes(ci("sidecar")))

    def test_they_name_no_test_pod_where_there_is_none(self):
        self.assertNotIn("helm test", self.notes(EMBEDDED))


if __name__ == "__main__":
    unittest.main()
