"""What the chart makes for Prometheus, Alertmanager, Grafana, and the network between them."""

import unittest

from chart import CHART, HELM, NAMESPACE, RULE_FILES, ci, load, of_kind, only, render

ALL = ci("everything")
ROUTES = CHART / "files/alertmanager/alertmanager.yml"


def groups_of_files():
    return [group for path in RULE_FILES for group in load(path)["groups"]]


def alerts(groups):
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


@unittest.skipUnless(HELM, "helm is not installed")
class Rules(unittest.TestCase):
    def test_they_arrive_as_they_are_in_the_files(self):
        rule = only(render(ALL), "PrometheusRule")
        self.assertEqual(rule["metadata"]["labels"]["release"], "prometheus")
        self.assertEqual(rule["spec"]["groups"], groups_of_files())
        self.assertIn("{{ $value ", str(rule["spec"]))
        self.assertIn("{{ $labels.task }}", str(rule["spec"]))

    def test_some_can_be_left_out(self):
        left = alerts(only(render(ci("existing")), "PrometheusRule")["spec"]["groups"])
        gone = set(alerts(groups_of_files())) - set(left)
        self.assertEqual(gone, {"BucketferryRunStarted", "BucketferryClockSkew"})

    def test_a_group_without_rules_is_none(self):
        group = groups_of_files()[0]
        names = [rule["alert"] for rule in group["rules"]]
        groups = only(render([ALL, {"metrics": {"prometheusRule": {"excludeRules": names}}}]),
                      "PrometheusRule")["spec"]["groups"]
        self.assertEqual(groups, groups_of_files()[1:])

    def test_between_runs_no_exporter_is_missed_where_it_is_a_sidecar_only(self):
        rules = {"metrics": {"prometheusRule": {"enabled": True, "evaluationInterval": "15s"}}}
        groups = only(render([ci("sidecar"), rules]), "PrometheusRule")["spec"]["groups"]
        self.assertEqual(set(alerts(groups_of_files())) - set(alerts(groups)),
                         {"BucketferryExporterAbsent"})
        self.assertEqual({group["interval"] for group in groups}, {"15s"})

    def test_labels_are_added_where_an_alert_has_none_of_that_name(self):
        before = alerts(groups_of_files())
        after = alerts(only(render(ci("existing")), "PrometheusRule")["spec"]["groups"])
        for name, rule in after.items():
            self.assertEqual(rule["labels"], {"team": "media", **before[name]["labels"]})
            self.assertEqual(rule["expr"], before[name]["expr"])

    def test_runbooks_may_be_somewhere_else(self):
        for name, rule in alerts(
                only(render(ci("existing")), "PrometheusRule")["spec"]["groups"]).items():
            self.assertEqual(rule["annotations"]["runbook_url"],
                             f"https://wiki.example/runbooks/{name}.md")


@unittest.skipUnless(HELM, "helm is not installed")
class Monitors(unittest.TestCase):
    def test_each_scrapes_the_named_port_of_what_is_there(self):
        service = only(render(ALL), "ServiceMonitor")
        pod = only(render(ALL), "PodMonitor")
        expected = [{"port": "metrics", "interval": "30s", "scrapeTimeout": "10s"}]
        self.assertEqual(service["spec"]["endpoints"], expected)
        self.assertEqual(pod["spec"]["podMetricsEndpoints"], expected)
        for monitor in (service, pod):
            self.assertEqual(monitor["metadata"]["labels"]["release"], "prometheus")
            self.assertEqual(monitor["spec"]["namespaceSelector"], {"matchNames": [NAMESPACE]})

    def test_they_may_lie_in_another_namespace(self):
        documents = render([ALL, {"metrics": {
            "podMonitor": {"namespace": "monitoring", "relabelings": [{"action": "labeldrop",
                                                                       "regex": "pod"}]}}}])
        pod = only(documents, "PodMonitor")
        self.assertEqual(pod["metadata"]["namespace"], "monitoring")
        self.assertEqual(pod["spec"]["podMetricsEndpoints"][0]["relabelings"],
                         [{"action": "labeldrop", "regex": "pod"}])


@unittest.skipUnless(HELM, "helm is not installed")
class Dashboards(unittest.TestCase):
    def test_each_arrives_to_the_byte(self):
        files = {path.name: path.read_text()
                 for path in (CHART / "files/dashboards").glob("*.json")}
        found = of_kind(render(ALL), "ConfigMap", "dashboard")
        self.assertEqual(len(found), len(files))
        arrived = {name: text for one in found for name, text in one["data"].items()}
        self.assertEqual(arrived, files)
        for one in found:
            self.assertEqual(one["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertEqual(one["metadata"]["annotations"], {"grafana_folder": "bucketferry"})
            self.assertEqual(one["metadata"]["namespace"], "monitoring")


@unittest.skipUnless(HELM, "helm is not installed")
class Routes(unittest.TestCase):
    def setUp(self):
        self.spec = only(render(ALL), "AlertmanagerConfig")["spec"]

    def test_they_lead_to_the_hook_with_its_token(self):
        for receiver in self.spec["receivers"]:
            webhook, = receiver["webhookConfigs"]
            self.assertEqual(webhook["url"], f"http://ferry-bucketferry-hook.{NAMESPACE}.svc:9848/"
                                             + receiver["name"])
            self.assertIs(webhook["sendResolved"], False)
            self.assertEqual(webhook["httpConfig"]["authorization"], {
                "type": "Bearer", "credentials": {"name": "bucketferry-hook", "key": "token"}})

    @unittest.skipUnless(ROUTES.exists(), "files/alertmanager is not there")
    def test_they_wait_and_group_as_the_example_without_the_operator_does(self):
        example = {route["receiver"]: route for route in load(ROUTES)["route"]["routes"]}
        for route, name in ((self.spec["route"], "bucketferry-events"),
                            (self.spec["route"]["routes"][0], "bucketferry-refresh")):
            pairs = {"groupBy": "group_by", "groupWait": "group_wait",
                     "groupInterval": "group_interval", "repeatInterval": "repeat_interval"}
            for ours, theirs in pairs.items():
                self.assertEqual(route[ours], example[name][theirs], f"{name} {ours}")


@unittest.skipUnless(HELM, "helm is not installed")
class Network(unittest.TestCase):
    def test_only_who_is_named_comes_in_and_the_exporter_alone_reaches_no_store(self):
        for component, port, reaches_stores in (("task", 9847, True), ("exporter", 9847, False),
                                                ("hook", 9848, True), ("listen", 9849, True)):
            spec = only(render(ALL), "NetworkPolicy", component)["spec"]
            self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
            ingress, = spec["ingress"]
            self.assertEqual(ingress["ports"], [{"port": port}])
            monitoring = {"namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
            self.assertEqual(ingress["from"][0], {"ipBlock": {"cidr": "192.0.2.0/24"}}
                             if component == "listen" else monitoring)
            ports = [entry["port"] for rule in spec["egress"] for entry in rule["ports"]]
            self.assertEqual(ports, [53, 53, 5432] + [443] * reaches_stores)
            self.assertEqual(spec["egress"][1]["to"], [{"ipBlock": {"cidr": "10.0.0.0/8"}}])

    def test_nobody_comes_to_a_run_without_an_exporter(self):
        documents = render([ci("deployment"), {"networkPolicy": {"enabled": True}}])
        self.assertEqual(only(documents, "NetworkPolicy", "task")["spec"]["ingress"], [])


if __name__ == "__main__":
    unittest.main()
