#!/usr/bin/python3
"""Configurations of Prometheus and Alertmanager for a test on the loopback.

pipeline_config.py alertmanager FILE HOOK_URL TOKEN_FILE
    the example FILE with all of its routes and waits, the hook at HOOK_URL, and nobody else to tell
pipeline_config.py prometheus RULES_GLOB EXPORTER ALERTMANAGER SECONDS
    the rules as they are, scraped and judged every SECONDS
"""
import sys

import yaml


def alertmanager(file, hook, token):
    with open(file, encoding="utf-8") as stream:
        config = yaml.safe_load(stream)
    config.pop("global", None)
    ours = 0
    for receiver in config["receivers"]:
        hooks = [
            webhook
            for webhook in receiver.get("webhook_configs", [])
            if webhook["url"].startswith("http://bucketferry-hook:9848/")
        ]
        for key in [key for key in receiver if key != "name"]:
            del receiver[key]
        if hooks:
            for webhook in hooks:
                webhook["url"] = webhook["url"].replace("http://bucketferry-hook:9848", hook)
                webhook["http_config"]["authorization"]["credentials_file"] = token
            receiver["webhook_configs"] = hooks
            ours += len(hooks)
    if ours < 2:
        sys.exit(f"{file}: no receivers of bucketferry hook")
    return config


def prometheus(rules, exporter, alertmanager_address, seconds):
    interval = f"{seconds}s"
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [rules],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager_address]}]}]
        },
        "scrape_configs": [
            {
                "job_name": "bucketferry",
                "static_configs": [{"targets": [exporter]}],
            }
        ],
    }


def main():
    what, *arguments = sys.argv[1:]
    config = {"alertmanager": alertmanager, "prometheus": prometheus}[what](*arguments)
    yaml.safe_dump(config, sys.stdout, sort_keys=False)


main()
