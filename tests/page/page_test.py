"""The status page in a browser: see tests/page/run."""

import argparse
import sys
import unittest
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import scenes
from rows import Rows
from world import ELSEWHERE, TOKEN, World, eventually

TASKS = ["media", "archive", "nightly-reports", "dailies", "partners", "vault", "sound"]
RUN = 1795000100  # the one that goes on in `media`

# Contrast of what is written to what it is written on, as WCAG counts it; of all texts that are seen.
CONTRASTS = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const groundOf = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || !node.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(node.tagName)) continue;
  const [a, b] = [parse(getComputedStyle(node).color), groundOf(node)].map(luminance).sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) poor.push(`${node.tagName}.${node.className} ${contrast.toFixed(2)}: ${node.textContent}`);
}
return poor;
"""


class StatusPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(arguments.build, TASKS)
        cls.addClassCleanup(cls.world.close)
        cls.browser = cls.world.browser
        cls.rows = Rows(cls.world.postgres.sql)

    def setUp(self):
        self.rows.clear()
        self.browser.emulate()
        self.browser.driver.get("about:blank")
        self.browser.complaints()
        self.browser.hosts_asked()
        self.accepted_complaints = []

    def tearDown(self):
        exporter = self.world.exporter
        asked = self.browser.hosts_asked() - {f"127.0.0.1:{exporter.port}", f"{ELSEWHERE}:{exporter.port}"}
        self.assertEqual(asked, set(), "something else was asked")
        left = [text for text in self.browser.complaints()
                if not any(accepted in text for accepted in self.accepted_complaints)]
        self.assertEqual(left, [])

    def open(self, host="127.0.0.1"):
        self.browser.driver.get(self.world.exporter.url(host))
        self.browser.await_text("#tasks", "media")
        self.browser.run("window.never_loaded_again = true")

    def open_details(self, task):
        self.browser.run(f"document.querySelector('#task-{task} details').open = true")

    def valuenow(self, what):
        return float(self.browser.run(
            f"return document.querySelector('[aria-label=\"media, {what}\"]').getAttribute('aria-valuenow')"))

    def choose(self, selector, value):
        self.browser.run("const s = document.querySelector(arguments[0]); s.value = arguments[1];"
                         "s.dispatchEvent(new Event('change'))", selector, value)

    def test_a_run_moves_without_loading_the_page_again(self):
        scenes.good_day(self.rows)
        self.open()
        self.browser.await_text("#task-media", "412 of 1,000 objects")
        self.browser.await_text("#task-media .state", "copying")
        # 412 objects of 10 MiB and a bit, and 40 of 64 parts of an object of 1 GiB.
        self.assertEqual(self.valuenow("bytes"), 47.4)
        self.assertEqual(self.valuenow("objects"), 41.2)
        self.assertRegex(self.browser.text("#task-media"), r"MiB/s on average · .* left")
        each = (10 << 30) // 1000
        self.rows.tally(RUN, 1, pending=-88, done=88, bytes_done=88 * each, bytes_pending=-88 * each)
        self.browser.await_text("#task-media", "500 of 1,000 objects")
        self.assertEqual(self.valuenow("objects"), 50.0)
        self.rows.finish_parts(RUN, 900, 24)
        eventually(lambda: self.valuenow("bytes") >= 59.9, "parts count")
        self.assertTrue(self.browser.run("return window.never_loaded_again"))

    def test_says_first_that_all_is_well(self):
        scenes.good_day(self.rows)
        self.open()
        self.browser.await_text("#headline", "All is well")
        self.assertEqual(self.browser.driver.title, "✓ All is well – bucketferry")
        self.assertIn("1 at work", self.browser.text("#facts"))
        self.assertIn("4 never ran", self.browser.text("#facts"))
        self.assertEqual(self.browser.text("#reasons"), "")
        self.assertIn("✓ complete", self.browser.text("#task-archive"))
        self.assertIn("gateway ✓ accepted", self.browser.text("#task-archive"))

    def test_says_first_what_is_not_well(self):
        scenes.bad_day(self.rows)
        self.open()
        self.browser.await_text("#headline", "4 of 7 tasks need attention")
        self.assertTrue(self.browser.driver.title.startswith("✗ 4 of 7 tasks need attention"))
        reasons = self.browser.text("#reasons")
        for reason in ("dailies: failed 12 min ago", "vault: overdue: last complete 4 h ago",
                       "sound: no progress for 40 min; 1 object dead so far",
                       "partners: 3 objects dead in the last run that ended; gateway not refreshed for 33 min",
                       "1 notification given up"):
            self.assertIn(reason, reasons)
        self.assertEqual(self.browser.run("return document.getElementById('verdict').dataset.level"), "bad")
        self.choose("#only", "trouble")
        self.assertNotIn("archive", self.browser.text("#tasks"))
        self.choose("#only", "active")
        self.assertEqual(self.browser.text("#tasks h3"), "media\nsound")
        self.choose("#only", "all")
        self.browser.driver.find_element(By.ID, "filter").send_keys("night")
        self.assertEqual(self.browser.text("#tasks h3"), "nightly-reports")
        self.browser.driver.find_element(By.LINK_TEXT, "vault").click()
        eventually(lambda: 0 <= self.browser.run(
            "return document.getElementById('task-vault').getBoundingClientRect().top") < 800, "vault is in view")

    def test_a_run_that_nobody_works_on_is_interrupted(self):
        self.rows.task("media")
        self.rows.run(1, "media", "complete", ago="1 hour")
        self.rows.run(2, "media", "copying", ago="50 min")
        self.open()
        self.browser.await_text("#headline", "media: interrupted, the next run goes on")
        self.assertIn("began 50 min ago", self.browser.text("#task-media"))
        self.assertEqual(self.browser.run("return document.getElementById('verdict').dataset.level"), "warn")

    def test_dead_objects_are_searched_and_paged(self):
        self.rows.task("media")
        self.rows.run(1, "media", "incomplete", planned=130, done=7, dead=120, vanished=3)
        self.rows.jobs(1, "dead", [(f"in/k{i:03}".encode(), f"error {i % 2}") for i in range(120)])
        self.rows.jobs(1, "vanished", [(b"in/gone", "gone before it was read")] * 3, first=500)
        self.open()
        self.open_details("media")
        objects = "#task-media .objects"
        message = "#task-media .panel [role=status]"
        self.browser.await_text(message, "50 shown.")
        self.assertIn("in/k000", self.browser.text(objects))
        more = self.browser.driver.find_element(By.XPATH, "//*[@id='task-media']//button[.='More']")
        more.click()
        self.browser.await_text(message, "100 shown.")
        more.click()
        self.browser.await_text(message, "120 shown, these are all.")
        self.assertFalse(more.is_displayed())
        self.assertEqual(len(self.browser.text(objects + " .key").split("\n")), 120)
        find = self.browser.driver.find_element(By.CSS_SELECTOR, "#task-media input[type=search]")
        find.send_keys("in/k117")
        self.browser.await_text(message, "1 shown, these are all.")
        self.assertIn("error 1", self.browser.text(objects))
        find.clear()
        find.send_keys("ERROR 0")
        self.browser.await_text(message, "50 shown.")
        self.assertNotIn("error 1", self.browser.text(objects))
        find.clear()
        find.send_keys("nothing is like this")
        self.browser.await_text(message, "None is like that.")
        find.clear()
        self.browser.driver.find_element(By.XPATH, "//*[@id='task-media']//button[.='3 vanished']").click()
        self.browser.await_text(objects, "gone before it was read")
        self.browser.await_text(message, "3 shown, these are all.")

    def test_awkward_keys_and_errors_are_text_and_nothing_else(self):
        self.rows.task("media")
        worker = self.rows.worker("<b>host</b>")
        self.rows.run(1, "media", "incomplete", planned=7, dead=len(scenes.AWKWARD), error="<u>why</u>")
        self.rows.jobs(1, "dead", scenes.AWKWARD)
        self.rows.run(2, "media", "copying")
        self.rows.tally(2, worker, planned=3, in_flight=3, bytes_planned=3000, bytes_in_flight=3000)
        self.rows.jobs(2, "in_flight", scenes.AWKWARD[:3], worker_id=worker)
        self.rows.refresh("media", "gateway", 1, 0, tries=3, error="<i>no</i>")
        self.rows.notification(1, "media", "ended", "<s>team</s>", "given_up", error="<em>lost</em>")
        self.open()
        self.browser.await_text("#workers", '<img src=x onerror="document.title=1">')
        self.assertIn("not utf-8 \\xff\\xfe\\x80", self.browser.text("#workers"))
        self.assertIn("<b>host</b>", self.browser.text("#workers"))
        bar = self.browser.driver.find_element(By.CSS_SELECTOR, "#task-media .bars button[data-state=incomplete]")
        bar.click()
        self.browser.await_text("#task-media", "7 shown, these are all.")
        keys = self.browser.run("return [...document.querySelectorAll('#task-media .objects .key')].map(e => e.textContent)")
        self.assertEqual(keys[:3], ['<img src=x onerror="document.title=1">',
                                    "line\\x0abreak\\x09tab\\x00nul\\x1b[31mred\\x7f", "not utf-8 \\xff\\xfe\\x80"])
        self.assertEqual(keys[3], "grüße/日本語/😀.mov")
        self.assertEqual(keys[4], "right-to-left \\xe2\\x80\\xaegnp.exe")
        self.assertEqual(keys[5], "back\\\\slash")
        text = self.browser.text("main")
        for piece in ("<script>alert(1)</script>", "<u>why</u>", "<i>no</i>", "<s>team</s>", "<em>lost</em>"):
            self.assertIn(piece, text)
        made = self.browser.run("return document.querySelectorAll('main img, main script, main b, main u, main i, main s,"
                                " main em').length")
        self.assertEqual(made, 0)
        self.assertIn("bucketferry", self.browser.driver.title)
        self.assertEqual(self.browser.run("return document.querySelectorAll('script').length"), 1)
        # Were there a mistake after all, the policy would still stop it; and would say so.
        self.browser.run("const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
                         "document.body.append(s); s.remove();"
                         "document.body.insertAdjacentHTML('beforeend', '<p onclick=\"window.hacked = 1\" id=p></p>');"
                         "document.getElementById('p').click()")
        self.assertIsNone(self.browser.run("return window.hacked"))
        self.accepted_complaints = ["Content Security Policy"]

    def test_the_public_sees_neither_keys_nor_errors_without_the_token(self):
        scenes.bad_day(self.rows)
        self.open(ELSEWHERE)
        self.open_details("partners")
        self.open_details("dailies")
        self.browser.await_text("#task-partners", "Their keys and errors are hidden from here.")
        hidden = ["in/masters", "onerror", "AccessDenied", "503 Service", "no route to host"]
        for word in hidden:
            self.assertNotIn(word, self.browser.text("body"))
            self.assertNotIn(word, self.browser.run("return document.documentElement.outerHTML"))
        self.assertIn("3 dead", self.browser.text("#task-partners"))
        token = self.browser.driver.find_element(By.ID, "token")
        token.send_keys("guess", Keys.ENTER)
        self.browser.await_text("#token-note", "That token is not the one.")
        token.send_keys(TOKEN, Keys.ENTER)
        self.browser.await_text("#task-partners .objects", "onerror")
        for word in hidden:
            self.assertIn(word, self.browser.text("body"))
        self.assertFalse(token.is_displayed())
        kept = self.browser.run("return JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href,"
                                " document.getElementById('token').value])")
        self.assertNotIn(TOKEN, kept)
        self.browser.driver.find_element(By.ID, "token-drop").click()
        self.browser.await_text("#task-partners", "Their keys and errors are hidden from here.")
        self.assertNotIn("onerror", self.browser.text("body"))

    def test_a_database_that_is_away_is_said_and_its_return_too(self):
        scenes.good_day(self.rows)
        self.open()
        self.browser.await_text("#headline", "All is well")
        self.accepted_complaints = ["503"]
        self.world.postgres.stop()
        try:
            self.browser.await_text("#headline", "No answer from the database")
            self.assertEqual(self.browser.run("return document.getElementById('verdict').dataset.level"), "away")
            self.assertIn("No answer from the database", self.browser.driver.title)
            self.browser.await_text("#stale", "is old: it was read at")
            self.assertIn("old", self.browser.run("return document.getElementById('main').className"))
            self.assertLess(float(self.browser.run(
                "return getComputedStyle(document.querySelector('#main > section')).opacity")), 0.6)
            # Who comes now sees that there is nothing, and no old numbers.
            self.browser.driver.get(self.world.exporter.url())
            self.browser.await_text("#headline", "No answer from the database")
            self.assertEqual(self.browser.text("#tasks"), "")
        finally:
            self.world.postgres.start()
        self.browser.await_text("#headline", "All is well")
        self.browser.await_text("#task-media", "412 of 1,000 objects")
        self.assertEqual(self.browser.text("#stale"), "")

    def test_an_exporter_that_is_gone_is_said_and_its_return_too(self):
        scenes.good_day(self.rows)
        self.open()
        self.browser.await_text("#headline", "All is well")
        self.accepted_complaints = ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE"]
        self.world.exporter.stop()
        try:
            self.browser.await_text("#headline", "The exporter does not answer")
            self.browser.await_text("#stale", "is old: it was read at")
        finally:
            self.world.exporter.start()
        self.browser.await_text("#headline", "All is well")
        self.assertTrue(self.browser.run("return window.never_loaded_again"))

    def test_the_last_runs_are_bars_also_for_the_keyboard(self):
        scenes.bad_day(self.rows)
        self.open()
        bars = self.browser.driver.find_elements(By.CSS_SELECTOR, "#task-dailies .bars button")
        self.assertEqual([bar.get_attribute("data-state") for bar in bars], ["complete"] * 5 + ["failed"])
        self.assertEqual([bar.get_attribute("tabindex") for bar in bars], ["-1"] * 5 + ["0"], "one tab stop")
        self.assertIn("Run 1795003005: failed.", bars[-1].get_attribute("aria-label"))
        bars[-1].send_keys(Keys.ARROW_LEFT)
        self.browser.await_text("#tip", "Run 1795003004: complete")
        self.assertIn("planned", self.browser.text("#tip"))
        self.browser.driver.switch_to.active_element.send_keys(Keys.END, Keys.ENTER)
        self.browser.await_text("#task-dailies", "AccessDenied (s3:ListBucket)")
        heights = lambda: [bar.size["height"] for bar in bars]
        by_time = heights()
        self.choose("#measure", "bytes")
        eventually(lambda: heights() != by_time, "the bars show something else")

    def test_workers_and_what_was_not_told_are_listed(self):
        scenes.bad_day(self.rows)
        self.open()
        self.browser.await_text("#workers", "ferry-node-1, pid 7")
        workers = self.browser.text("#workers")
        for line in ("copies media · 7 objects · 6 parts", "in/2026/11/27/take-00.mov",
                     "in/masters/reel-0042.mxf 62.5 % of 1.0 GiB, 6 parts here", "ferry-node-2, pid 41", "waits for work"):
            self.assertIn(line, workers)
        untold = self.browser.text("#untold")
        self.assertIn("team: partners ended", untold)
        self.assertIn("waits", untold)
        self.assertIn("no route to host", untold)
        self.open_details("partners")
        self.browser.await_text("#task-partners", "gateway: due")
        refresh = self.browser.text("#task-partners")
        self.assertIn("accepted for run 1795004003", refresh)
        self.assertIn("7 tries, the next now", refresh)
        self.assertIn("the gateway answered 503 Service Unavailable", refresh)

    def test_is_readable_light_and_dark_wide_and_narrow(self):
        scenes.bad_day(self.rows)
        self.rows.jobs(1795004004, "dead", scenes.AWKWARD[3:], first=10)
        self.open()
        self.browser.await_text("#headline", "need attention")
        for task in TASKS:
            self.open_details(task)
        self.browser.await_text("#task-partners .objects", "aaaaaaaa")
        for scheme in ("light", "dark"):
            self.browser.emulate(scheme)
            self.assertEqual(self.browser.run(CONTRASTS), [], scheme)
            for width in (360, 768, 1200):
                self.browser.emulate(scheme, width)
                wide = self.browser.run("return document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, f"{scheme}: scrolls sideways")
                if arguments.pictures:
                    self.browser.picture(arguments.pictures / f"{scheme}-{width}.png")
        self.assertLess(sum(self.browser.run(
            "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[:3]), 150, "is dark")

    def test_everything_that_acts_has_a_name(self):
        scenes.bad_day(self.rows)
        self.open(ELSEWHERE)
        self.open_details("partners")
        self.browser.await_text("#task-partners", "Their keys and errors are hidden from here.")
        nodes = self.browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        role = lambda node: node.get("role", {}).get("value")
        acting = [node for node in nodes if not node.get("ignored") and role(node) in
                  ("button", "textbox", "searchbox", "combobox", "link", "progressbar", "heading", "DisclosureTriangle")]
        self.assertGreater(len(acting), 40)
        nameless = [node for node in acting if not node.get("name", {}).get("value", "").strip()]
        self.assertEqual(nameless, [])
        self.assertEqual(self.browser.run("return document.querySelectorAll('h1').length"), 1)

    def test_without_scripts_says_where_to_look(self):
        self.browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            self.browser.driver.get(self.world.exporter.url())
            note = self.browser.driver.find_element(By.TAG_NAME, "noscript")
            self.assertIn("bucketferry status", note.text)
            self.assertIn("/metrics", note.text)
        finally:
            self.browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parents[2] / "build-tests")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], "-v", *arguments.tests])
