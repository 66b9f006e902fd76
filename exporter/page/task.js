// One task: its state, how far it is, its last runs, and what is behind them.

const rateWindow = 60;  // seconds
const stateLevels = {complete: "good", planning: "work", copying: "work", failed: "bad", incomplete: "warn",
                     interrupted: "warn"};

// Bytes a second of the run that goes on: over the last minute that this page has seen, else on average.
class Rate {
  update(run, now) {
    if (!run || run.run !== this.run) {
      this.run = run ? run.run : undefined;
      this.seen = [];
    }
    if (!run) { this.value = 0; return; }
    this.seen.push({at: now / 1000, final: run.bytes.final});
    while (this.seen.length > 2 && this.seen[0].at < now / 1000 - rateWindow) this.seen.shift();
    const first = this.seen[0];
    const passed = now / 1000 - first.at;
    this.recent = passed >= 5;
    this.value = Math.max(0, this.recent ? (run.bytes.final - first.final) / passed
                                         : run.bytes.final / Math.max(run.seconds, 1));
  }
}

class Task {
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.rate = new Rate();
    this.chosen = null;  // a run; null: the latest
    this.title = element("h3", {id: `title-${name}`}, name);
    this.state = element("span", {class: "state"});
    this.places = element("span", {class: "places"});
    this.text = element("div", {class: "task-text"});
    this.bars = new Bars(name, (run) => { this.chosen = run; this.details.open = true; page.render(); });
    this.tracks = ["bytes", "objects"].map((what) => {
      const fill = element("div");
      const node = element("div", {class: what === "bytes" ? "track" : "track thin", role: "progressbar",
                                   "aria-label": `${name}, ${what}`, "aria-valuemin": "0", "aria-valuemax": "100"}, fill);
      return {what, node, fill};
    });
    this.progress = element("div", {hidden: true}, ...this.tracks.map((track) => track.node));
    this.objects = new Objects(name, (path) => page.ask(path));
    this.run = element("div");
    this.refresh = element("div");
    this.details = element("details", {}, element("summary", {"aria-label": `Details of ${name}`}, "Details"), this.run, this.objects.node, this.refresh);
    this.details.addEventListener("toggle", () => page.render());
    this.node = element("article", {class: "card", id: `task-${name}`, "aria-labelledby": `title-${name}`},
                        element("div", {class: "task-head"}, this.title, this.state, this.places), this.progress,
                        element("div", {class: "task-body"}, this.text, this.bars.node), this.details);
  }

  measureRate(task, now) { this.rate.update(goingOn(task), now); }

  update(task, now) {
    this.found = troubles(task, now);
    this.isActive = task.active;
    const level = levelOf(task, this.found);
    setAttribute(this.node, "data-level", level);
    this.state.className = `state ${stateLevels[task.state] || "muted"}`;
    setText(this.state, task.state === "complete" ? "✓ complete" : task.state);
    setText(this.places, `${task.source} → ${task.destination}`);
    const run = goingOn(task);
    this.showProgress(run);
    this.showText(task, run, now);
    const chosen = task.runs.find((one) => one.run === this.chosen) || latest(task);
    this.bars.node.hidden = task.runs.length === 0;
    this.bars.update(task.runs, chosen ? chosen.run : null, this.page.measure, now);
    this.details.hidden = task.runs.length === 0 && task.refresh.length === 0;
    if (!this.details.open) { this.objects.update(chosen, false, this.page.mayAsk); return; }
    this.showRun(chosen, now);
    this.objects.update(chosen, true, this.page.mayAsk);
    this.showRefresh(task.refresh, now);
  }

  showProgress(run) {
    this.progress.hidden = !run || run.objects.planned === 0;
    if (this.progress.hidden) return;
    for (const track of this.tracks) {
      const of = track.what === "bytes" ? run.bytes : run.objects;
      const value = percent(of.final, of.planned);
      track.node.hidden = of.planned === 0;
      track.fill.style.width = `${value}%`;
      setAttribute(track.node, "aria-valuenow", String(value));
      setAttribute(track.node, "aria-valuetext", track.what === "bytes"
        ? `${value} %: ${bytes(of.final)} of ${bytes(of.planned)}` : `${count(of.final)} of ${count(of.planned)} objects`);
    }
  }

  showText(task, run, now) {
    const lines = [];
    for (const trouble of this.found) lines.push([coloured(trouble.level, trouble.text)]);
    if (run) lines.push(...this.goingOnLines(run));
    lines.push(this.restLine(task, run, now));
    const told = task.refresh.filter((one) => one.required_run > 0);
    if (told.length > 0) lines.push(["refresh: ", ...joined(told.map((one) => this.refreshWord(one, now)), ", ")]);
    const made = lines.map((parts) => element("p", {}, ...parts));
    refill(this.text, made.map((line) => line.outerHTML), () => made);
  }

  goingOnLines(run) {
    const {objects, bytes: size} = run;
    const isPlanning = run.state === "planning";
    const whole = isPlanning ? " planned so far" : "";
    const left = size.planned - size.final;
    const far = size.planned > 0 ? `${percent(size.final, size.planned)} %` : `${percent(objects.final, objects.planned)} %`;
    const waits = ["pending", "in_flight", "retry_wait", "dead"].filter((name) => objects[name] > 0);
    const names = {pending: "pending", in_flight: "in flight", retry_wait: "to retry", dead: "dead"};
    if (objects.planned === 0) return [[isPlanning ? `planning: ${count(objects.source, "object")} listed so far` : "nothing to do"]];
    return [
      joined([
        element("strong", {}, far),
        size.planned > 0 ? `${bytes(size.final)} of ${bytes(size.planned)}${whole}` : null,
        `${count(objects.final)} of ${count(objects.planned)} objects`,
        this.rate.value > 0 ? `${bytes(this.rate.value)}/s${this.rate.recent ? "" : " on average"}` : null,
        this.rate.value > 0 && left > 0 ? `${isPlanning ? "at least " : ""}${duration(left / this.rate.value)} left` : null,
      ]),
      joined(waits.map((name) => (name === "dead" ? coloured("bad", `${count(objects.dead)} dead`)
                                                  : `${count(objects[name])} ${names[name]}`))),
    ].filter((line) => line.length > 0);
  }

  restLine(task, run, now) {
    const last = latest(task);
    const parts = [];
    if (!run && last) {
      if (last.open) parts.push(["began ", moment(last.started_at, now)]);  // and nobody works on it
      else parts.push(["ended ", moment(last.finished_at, now), ` after ${duration(last.seconds)}`]);
      parts.push(last.objects.planned === 0 ? ["nothing to do"]
                                            : [`${count(last.objects.done)} of ${count(last.objects.planned)} objects, ${bytes(last.bytes.done)}`]);
    }
    if (task.succeeded_at && (run || task.state !== "complete")) parts.push(["last complete ", moment(task.succeeded_at, now)]);
    if (task.interval_seconds > 0) parts.push([`every ${duration(task.interval_seconds).replace(/ 0\d [ms]$| 0 h$/, "")}`]);
    const line = [];
    for (const part of parts) line.push(...(line.length > 0 ? [" · "] : []), ...part);
    return [element("span", {class: "muted"}, ...line)];
  }

  refreshWord(one, now) {
    if (one.due) {
      return element("span", {class: one.tries > 1 ? "warn" : "work"},
                     `${one.target} waits${one.required_at ? ` for ${roughly(secondsSince(one.required_at, now))}` : ""}`);
    }
    return coloured("good", `${one.target} ✓ ${one.outcome || "acknowledged"}`);
  }

  showRun(run, now) {
    if (!run) { this.run.replaceChildren(); return; }
    const {objects, requests} = run;
    const outcomes = ["done", "adopted", "deleted", "dead", "vanished", "archived"];
    const facts = [
      ["Run", `${run.run}, ${run.state}${run.kind === "retry" ? ", a retry of dead objects" : ""}`],
      ["Started", `${fullTime(run.started_at)}, ${ago(run.started_at, now)}`],
      [run.open ? "For" : "Took", `${duration(run.seconds)}${run.planned_at
        ? `, of which the plan ${duration(secondsSince(run.started_at, Date.parse(run.planned_at)))}` : ""}`],
      ["Objects", `${count(objects.source)} at the source, ${count(objects.planned)} planned`],
      ["Outcome", outcomes.filter((name) => name === "done" || objects[name] > 0)
                          .map((name) => `${count(objects[name])} ${name}`).join(", ")],
      ["Bytes", `${bytes(run.bytes.done)} of ${bytes(run.bytes.planned)}`],
      ["Requests", `${count(requests.source)} at the source, ${count(requests.destination)} at the destination, ${
        count(run.retries, "retry", "retries")}`],
    ];
    if (run.error) facts.push(["Error", coloured(run.state === "skipped" ? "muted" : "bad", visible(run.error))]);
    refill(this.run, facts.map(([name, text]) => [name, text.textContent || text]), () => [
      element("dl", {class: "facts"}, ...facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]))]);
  }

  showRefresh(all, now) {
    refill(this.refresh, [all, all.length > 0 ? Math.floor(now / 10000) : 0], () => (all.length === 0 ? [] : [
      element("div", {class: "panel"}, element("h4", {}, "Refresh targets"),
              element("ul", {class: "plain"}, ...all.map((one) => this.refreshEntry(one, now))))]));
  }

  refreshEntry(one, now) {
    if (one.required_run === 0) return element("li", {}, `${one.target}: `, element("span", {class: "muted"}, "never due"));
    const facts = [
      `required for run ${one.required_run}${one.required_at ? `, ${ago(one.required_at, now)}` : ""}`,
      one.acknowledged_run > 0
        ? `${one.outcome || "acknowledged"} for run ${one.acknowledged_run}${one.acknowledged_at ? `, ${ago(one.acknowledged_at, now)}` : ""}`
        : "never acknowledged",
      one.due ? tries(one, now) : null,
    ];
    return element("li", {}, element("span", {class: one.due ? (one.tries > 1 ? "warn" : "work") : "good"},
                                     `${one.target}: ${one.due ? "due" : one.outcome || "acknowledged"}`),
                   " ", element("span", {class: "muted"}, ...joined(facts)),
                   one.error ? element("p", {class: "bad"}, visible(one.error)) : null);
  }
}
