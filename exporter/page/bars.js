// The last runs of a task as small bars: how long they took, or what they copied, and how they ended.

function describeRun(run, now) {
  const objects = run.objects;
  const counts = [`${count(objects.planned)} planned`, `${count(objects.done)} done`];
  for (const name of ["adopted", "deleted", "dead", "vanished", "archived"]) {
    if (objects[name] > 0) counts.push(`${count(objects[name])} ${name}`);
  }
  return [
    `Run ${run.run}: ${run.state}`,
    `${fullTime(run.started_at)}, ${ago(run.started_at, now)}`,
    `${run.open ? "so far" : "took"} ${duration(run.seconds)}${run.kind === "retry" ? ", a retry" : ""}`,
    counts.join(", "),
    `${bytes(run.bytes.done)} of ${bytes(run.bytes.planned)} copied`,
  ];
}

function showTip(button) {
  const tip = byId("tip");
  tip.replaceChildren(...button.tipLines.map((line) => element("p", {}, line)));
  tip.hidden = false;
  const at = button.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const left = Math.max(8, Math.min(at.left - 20, width - tip.offsetWidth - 8));
  const above = at.top - tip.offsetHeight - 8;
  tip.style.left = `${left + window.scrollX}px`;
  tip.style.top = `${(above > 0 ? above : at.bottom + 8) + window.scrollY}px`;
}

function hideTip() { byId("tip").hidden = true; }

class Bars {
  // `choose(run id)` is called when one is chosen. One of them is a tab stop; arrows go on from there.
  constructor(task, choose) {
    this.choose = choose;
    this.buttons = new Map();
    this.node = element("div", {class: "bars", role: "group", "aria-label": `Last runs of ${task}`});
    this.node.addEventListener("keydown", (event) => this.onKey(event));
  }

  update(runs, chosen, measure, now) {
    const oldestFirst = [...runs].reverse();
    const size = (run) => (measure === "bytes" ? run.bytes.done : run.seconds);
    // A root: a run of hours must not make those of minutes vanish.
    const scaled = oldestFirst.map((run) => (run.state === "skipped" ? 0 : Math.sqrt(size(run))));
    const largest = Math.max(...scaled, 1e-9);
    const ids = new Set(runs.map((run) => run.run));
    for (const [id, button] of this.buttons) {
      if (ids.has(id)) continue;
      if (button === document.activeElement) hideTip();
      button.remove();
      this.buttons.delete(id);
    }
    oldestFirst.forEach((run, index) => {
      const button = this.buttonOf(run.run);
      button.tipLines = describeRun(run, now);
      setAttribute(button, "data-state", run.state);
      setAttribute(button, "aria-pressed", String(run.run === chosen));
      setAttribute(button, "aria-label", button.tipLines.join(". "));
      button.style.height = `${Math.max(8, Math.round(100 * scaled[index] / largest))}%`;
      if (this.node.children[index] !== button) this.node.insertBefore(button, this.node.children[index] || null);
    });
    this.keepOneTabStop(chosen);
  }

  buttonOf(id) {
    let button = this.buttons.get(id);
    if (button) return button;
    button = element("button", {type: "button", tabindex: "-1"});
    button.addEventListener("mouseenter", () => showTip(button));
    button.addEventListener("focus", () => showTip(button));
    button.addEventListener("mouseleave", hideTip);
    button.addEventListener("blur", hideTip);
    button.addEventListener("click", () => this.choose(id));
    this.buttons.set(id, button);
    return button;
  }

  keepOneTabStop(chosen) {
    const all = [...this.node.children];
    const stop = all.find((button) => button === document.activeElement) || this.buttons.get(chosen) || all.at(-1);
    for (const button of all) setAttribute(button, "tabindex", button === stop ? "0" : "-1");
  }

  onKey(event) {
    const all = [...this.node.children];
    const at = all.indexOf(document.activeElement);
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1}[event.key];
    if (event.key === "Escape") hideTip();
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    next.focus();
    this.keepOneTabStop(null);
  }
}
