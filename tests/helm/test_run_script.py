"""files/run.sh, which every Job runs, around a program that ends as it is told."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from chart import CHART

SCRIPT = (CHART / "files/run.sh").read_text()

# Ends with the next code of the file `codes`, and writes down its arguments. `wait`: says so, and
# goes on until SIGTERM comes; `deaf`: SIGTERM only makes it say so, the file `go` ends it.
PROGRAM = r"""#!/bin/sh
cd "$(dirname "$0")" || exit
for argument in "$@"; do printf '%s|' "$argument"; done >>arguments
echo >>arguments
code=$(head -n 1 codes) && sed -i 1d codes
case $code in
  wait) trap 'kill $!; exit 5' TERM
        sleep 60 & echo ready; wait ;;
  deaf) trap 'echo told' TERM
        echo ready
        turns=600
        while [ ! -e go ] && [ $((turns -= 1)) -gt 0 ]; do sleep 0.1; done
        exit 5 ;;
  kill) kill -KILL $$ ;;
  *) exit "$code" ;;
esac
"""


class RunScript(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bucketferry-run.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "bucketferry"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)

    def start(self, *codes, seconds="0", arguments=("run", "--task", "media")):
        (self.folder / "codes").write_text("".join(f"{code}\n" for code in codes))
        process = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT, "run.sh", seconds, self.program, *arguments], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def code(self, process):
        return process.wait(timeout=30)

    def runs(self):
        path = self.folder / "arguments"
        return path.read_text().splitlines() if path.exists() else []

    def test_every_code_but_4_is_the_jobs_own(self):
        for code in (0, 1, 2, 3, 5, 42, 127):
            with self.subTest(code):
                self.assertEqual(self.code(self.start(code)), code)
        self.assertEqual(len(self.runs()), 7)

    def test_a_killed_program_looks_killed(self):
        self.assertEqual(self.code(self.start("kill")), 128 + signal.SIGKILL)

    def test_a_program_that_is_not_there_is_no_success(self):
        self.program.unlink()
        self.assertEqual(self.code(self.start()), 127)

    def test_a_run_that_goes_on_at_the_second_look_too_is_no_failure(self):
        process = self.start(4, 4)
        self.assertEqual(self.code(process), 0)
        self.assertEqual(len(self.runs()), 2)
        self.assertIn('"message":"another run of the task goes on: looks again in 0 s"',
                      process.stderr.read())

    def test_a_run_that_is_over_at_the_second_look_is_taken_over(self):
        for code in (0, 1, 3, 5):
            with self.subTest(code):
                self.assertEqual(self.code(self.start(4, code)), code)

    def test_arguments_arrive_as_they_are(self):
        self.code(self.start(4, 0, arguments=("run", "--task", "a b", "*", "", "$HOME")))
        self.assertEqual(self.runs(), ["run|--task|a b|*||$HOME|"] * 2)

    def test_a_stop_reaches_the_program_and_its_code_the_job(self):
        process = self.start("wait")
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual(self.code(process), 5)

    def test_the_program_is_told_once_however_often_the_script_is(self):
        process = self.start("deaf")
        self.assertEqual(process.stdout.readline(), "ready\n")
        for _ in range(3):
            process.terminate()
        self.assertEqual(process.stdout.readline(), "told\n")
        (self.folder / "go").touch()
        self.assertEqual(self.code(process), 5)
        self.assertEqual(process.stdout.read(), "")

    def test_a_stop_between_the_looks_ends_the_wait_and_is_no_success(self):
        process = self.start(4, 0, seconds="60")
        self.assertIn("looks again in 60 s", process.stderr.readline())
        process.terminate()
        self.assertEqual(self.code(process), 5)
        self.assertEqual(len(self.runs()), 1)

    def test_a_stop_during_the_second_look_reaches_it(self):
        process = self.start(4, "wait")
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.terminate()
        self.assertEqual(self.code(process), 5)

    def test_a_stop_that_comes_before_the_program_can_listen_is_a_stop_too(self):
        # It comes at ever other moments; where the script has set no trap yet, that is what ends.
        for _ in range(20):
            process = self.start(4, "wait", seconds="60")
            process.terminate()
            self.assertIn(self.code(process), (5, -signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
