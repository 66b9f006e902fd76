"""What can be said of the chart without rendering it."""

import copy
import re
import unittest

import jsonschema
import yaml

from chart import CHART, CI_FILES, ROOT, RULE_FILES, ci, load, schema


def validate(values):
    jsonschema.validate(values, schema(), cls=jsonschema.Draft7Validator)


def merged(values, changes):
    """As helm does it: maps are merged, everything else is replaced."""
    values = copy.deepcopy(values)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(values.get(key), dict)
        values[key] = merged(values[key], value) if both else value
    return values


class Schema(unittest.TestCase):
    def test_it_is_a_schema_of_draft_7(self):
        self.assertEqual(schema()["$schema"], "http://json-schema.org/draft-07/schema#")
        jsonschema.Draft7Validator.check_schema(schema())

    def test_it_takes_the_defaults_and_every_ci_file(self):
        defaults = load(CHART / "values.yaml")
        validate(defaults)
        for path in CI_FILES:
            with self.subTest(path.name):
                validate(merged(defaults, load(path)))

    def test_it_knows_each_default_by_name(self):
        def look(values, node, path):
            while "$ref" in node:
                node = schema()["definitions"][node["$ref"].rsplit("/", 1)[1]]
            known = node.get("properties", {})
            if node.get("additionalProperties") is False:
                self.assertEqual(set(values) - set(known), set(), path)
                # `global`, and what only a task or a container has, has no default.
                without = {"global", "claims"}
                self.assertEqual(set(known) - set(values) - without, set(), path)
            for key, value in values.items():
                if isinstance(value, dict) and key in known:
                    look(value, known[key], f"{path}.{key}")
        look(load(CHART / "values.yaml"), schema(), "values")

    def test_it_refuses(self):
        task = {"schedule": "@hourly"}
        cases = {
            "an unknown key": {"replicas": 2},
            "an unknown key further down": {"exporter": {"modes": "both"}},
            "a misspelt key of a task": {"tasks": {"media": {**task, "timezone": "UTC"}}},
            "a task without schedule": {"tasks": {"media": {}}},
            "a task whose name is no name": {"tasks": {"Media": task}},
            "a task whose name ends a label badly": {"tasks": {"media-": task}},
            "a task whose name is too long": {"tasks": {"m" * 41: task}},
            "a mode that does not exist": {"exporter": {"mode": "daemonset"}},
            "a replaced kind of value": {"hook": {"enabled": "yes"}},
            "two that listen": {"listen": {"replicas": 2}},
            "a probe of listen that does not exist": {"listen": {"probes": "https"}},
            "somebody who is no peer": {"networkPolicy": {"listenFrom": ["10.0.0.0/8"]}},
            "a fraction of a second": {"exporter": {"lingerSeconds": 1.5}},
            "a linger of more than an hour": {"exporter": {"lingerSeconds": 3601}},
            "a time without unit": {"metrics": {"scrapeInterval": "30"}},
            "a digest that is none": {"image": {"digest": "latest"}},
            "a secret without a place": {"secrets": {"files": [{"secretName": "s"}]}},
            "a mount without a root": {"secrets": {"files": [{"secretName": "s",
                                                              "mountPath": "keys"}]}},
            "a secret written out as environment": {"secrets": {"env": [{"KEY": "value"}]}},
            "a label that is no text": {"commonLabels": {"version": 1}},
            "a claim that many may mount": {"database": {"embedded": {
                "accessModes": ["ReadWriteMany"]}}},
            "another bucketferry.yaml": {"files": {"bucketferry.yaml": ""}},
            "a policy of overlap": {"job": {"concurrencyPolicy": "Allow"}},
        }
        defaults = load(CHART / "values.yaml")
        for what, changes in cases.items():
            with self.subTest(what), self.assertRaises(jsonschema.ValidationError):
                validate(merged(defaults, changes))


class Files(unittest.TestCase):
    def test_the_chart_is_of_the_version_of_the_programs(self):
        cmake = (ROOT / "CMakeLists.txt").read_text()
        project = re.search(r"project\(bucketferry VERSION (\S+)", cmake)
        self.assertEqual(load(CHART / "Chart.yaml")["appVersion"], project[1])

    def test_dashboards_are_those_of_grafana(self):
        link = CHART / "files/dashboards"
        self.assertTrue(link.is_symlink())
        self.assertEqual(str(link.readlink()), "../../../grafana/dashboards")
        if (ROOT / "grafana/dashboards").exists():
            self.assertTrue(list(link.glob("*.json")))

    def test_every_rule_file_is_yaml_with_groups_of_different_names(self):
        self.assertTrue(RULE_FILES)
        names = [group["name"] for path in RULE_FILES for group in load(path)["groups"]]
        self.assertEqual(len(names), len(set(names)), names)

    def test_no_configuration_in_ci_is_written_twice_under_one_name(self):
        for path in CI_FILES:
            keys = re.findall(r"^(\w+):", path.read_text(), re.MULTILINE)
            self.assertEqual(len(keys), len(set(keys)), path.name)


class Readme(unittest.TestCase):
    text = (CHART / "README.md").read_text()

    def blocks(self, language):
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)

    def test_its_first_values_are_the_minimal_ci_file(self):
        first = next(block for block in self.blocks("yaml") if "image:" in block)
        self.assertEqual(yaml.safe_load(first), load(ci("minimal")))

    def test_each_of_its_examples_is_accepted(self):
        for block in self.blocks("yaml"):
            with self.subTest(block):
                validate(merged(load(CHART / "values.yaml"), yaml.safe_load(block)))

    def test_the_values_it_names_exist(self):
        values = load(CHART / "values.yaml")
        # The program's own configuration, and examples of a particular one.
        foreign = {"config", "files", "tasks"}
        for name in re.findall(r"`([a-z]\w+(?:\.\w+)+)`", self.text):
            path = name.split(".")
            if path[0] not in values or path[0] in foreign:
                continue
            node = values
            for part in path:
                self.assertIn(part, node, name)
                node = node[part]

    def test_its_links_lead_somewhere(self):
        for link in re.findall(r"\]\(([^)#]+)", self.text):
            with self.subTest(link):
                self.assertTrue((CHART / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
