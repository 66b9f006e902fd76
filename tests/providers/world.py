"""What tests of providers share: the server that plays them, and the program with a configuration for it."""
import os
import subprocess
import tempfile
from pathlib import Path

from provider_client import ProviderServer

REGION = {"aws": "eu-west-1", "oss": "cn-hangzhou", "cos": "ap-guangzhou", "kodo": "cn-east-1"}


class World:
    """A server, a folder, and runs of BUILD/bucketferry with tasks as lines of YAML."""

    def __init__(self, build):
        self._build = Path(build)
        self._folder = tempfile.TemporaryDirectory(prefix="ferry-providers-")
        os.chmod(self._folder.name, 0o755)  # the user of the embedded database enters it
        self.server = ProviderServer()

    def close(self):
        self.server.close()
        self._folder.cleanup()

    def put(self, provider, bucket, key, body, headers=None):
        answer = self.server.send(provider, "PUT", bucket, key, headers=headers or {}, body=body)
        assert answer.status == 200, (provider, bucket, key, answer.body)

    def inspect(self, provider, bucket, key=None):
        """All that is kept of an object, or the keys of a bucket and how many uploads are open in it."""
        return self.server.control(f"/_inspect/{provider}/{bucket}" + (f"?key={key}" if key else ""))

    def configure(self, providers, tasks, name="ferry"):
        lines = ["database: embedded", f"state_dir: {self._folder.name}/{name}",
                 "transfer: {part_size: 5MiB, multipart_threshold: 6MiB}", "stores:"]
        for provider in providers:
            region = f", region: {REGION[provider]}" if provider in REGION else ""
            lines.append(f"  {provider}: {{provider: {provider}{region}, endpoint: '{self.server.endpoint(provider)}', "
                         f"credentials: {{access_key_id: AK{provider}, secret_access_key: SK{provider}}}}}")
        path = Path(self._folder.name) / f"{name}.yaml"
        path.write_text("\n".join([*lines, "tasks:", *tasks]) + "\n")
        return path

    def ferry(self, config, *words, timeout=240):
        return subprocess.run([self._build / "bucketferry", *words, "--config", config], capture_output=True,
                              text=True, timeout=timeout)
