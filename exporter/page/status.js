// The page: asks for the status again and again, and shows it, or since when there is none.

const pauses = {active: 3000, idle: 10000, trouble: 4000};
const answerPatience = 12000;  // longer than the exporter takes for anything
const toolsFrom = 6;           // tasks

class Page {
  constructor() {
    this.tasks = new Map();
    this.token = "";      // in memory only: gone with the page
    this.measure = "seconds";
    this.data = null;
    this.trouble = null;  // {headline, text, since}: why there is no fresh status
    byId("filter").addEventListener("input", () => this.render());
    byId("only").addEventListener("change", () => this.render());
    byId("measure").addEventListener("change", (event) => { this.measure = event.target.value; this.render(); });
    byId("reasons").addEventListener("click", () => this.showAll());  // what they lead to must be there
    byId("token-form").addEventListener("submit", (event) => { event.preventDefault(); this.useToken(byId("token").value); });
    byId("token-drop").addEventListener("click", () => this.useToken(""));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.poll(); });
    setInterval(() => this.showAge(), 1000);
    this.poll();
  }

  showAll() {
    byId("filter").value = "";
    byId("only").value = "all";
    this.render();
  }

  useToken(token) {
    this.token = token;
    byId("token").value = "";
    this.poll();
  }

  // The answer to a GET, parsed. Throws an Error that says what went wrong; `.from` says at whom.
  async ask(path) {
    const headers = this.token === "" ? {} : {Authorization: `Bearer ${this.token}`};
    const response = await fetch(path, {headers, cache: "no-store", signal: AbortSignal.timeout(answerPatience)});
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (isJson) throw Object.assign(new Error(JSON.parse(text).problem), {from: "database"});
    throw Object.assign(new Error(`It answered with status ${response.status}.`), {from: "exporter"});
  }

  // One at a time: whoever comes later takes the place of the one before.
  async poll() {
    clearTimeout(this.timer);
    const number = this.polls = (this.polls || 0) + 1;
    try {
      const data = await this.ask("status.json");
      if (number !== this.polls) return;
      this.take(data);
    } catch (error) {
      if (number !== this.polls) return;
      this.fail(error);
    }
    if (!document.hidden) this.timer = setTimeout(() => this.poll(), this.pause());
  }

  pause() {
    if (this.trouble) return pauses.trouble;
    return this.data.tasks.some((task) => task.active) ? pauses.active : pauses.idle;
  }

  take(data) {
    this.data = data;
    this.trouble = null;
    this.takenAt = performance.now();
    for (const task of data.tasks) this.taskOf(task.task).measureRate(task, this.now());
    this.render();
  }

  fail(error) {
    const headline = error.from === "database" ? "No answer from the database" : "The exporter does not answer";
    if (!this.trouble || this.trouble.headline !== headline) this.trouble = {headline, since: performance.now()};
    this.trouble.text = error.from ? error.message : "It is stopped, or cannot be reached from this browser.";
    this.render();
  }

  // The database's clock, in milliseconds: of the status, and going on.
  now() { return Date.parse(this.data.now) + performance.now() - this.takenAt; }

  taskOf(name) {
    if (!this.tasks.has(name)) this.tasks.set(name, new Task(name, this));
    return this.tasks.get(name);
  }

  render() {
    byId("main").classList.toggle("old", this.trouble !== null);
    if (this.trouble) this.showTrouble();
    if (this.data === null) return;
    const now = Date.parse(this.data.now);  // all of one moment
    this.mayAsk = this.data.detail === "full";
    if (!this.trouble) {
      this.verdict = judge(this.data, now, [...this.tasks.values()].reduce((sum, task) => sum + task.rate.value, 0));
      byId("stale").hidden = true;
    }
    this.showTasks(now);
    showWorkers(this.data.workers, now);
    showUntold(this.data.notifications, now);
    this.showFoot();
    this.showAge();
  }

  showTasks(now) {
    const names = this.data.tasks.map((task) => task.task);
    for (const [name, task] of this.tasks) {
      if (names.includes(name)) continue;
      task.node.remove();
      this.tasks.delete(name);
    }
    byId("tools").hidden = names.length < toolsFrom;
    const filter = byId("filter").value.trim().toLowerCase();
    const only = byId("only").value;
    let shown = 0;
    this.data.tasks.forEach((data, index) => {
      const task = this.taskOf(data.task);
      task.update(data, now);
      const isWanted = only === "all" || (only === "trouble" ? task.found.length > 0 : task.isActive);
      task.node.hidden = !(isWanted && data.task.includes(filter));
      if (!task.node.hidden) ++shown;
      const tasks = byId("tasks");
      if (tasks.children[index] !== task.node) tasks.insertBefore(task.node, tasks.children[index] || null);
    });
    byId("no-task").hidden = shown > 0;
  }

  showTrouble() {
    this.verdict = {level: "away", headline: this.trouble.headline, facts: [this.trouble.text], reasons: []};
    const stale = byId("stale");
    stale.hidden = this.data === null;
    if (this.data !== null) {
      setText(stale, `What is below is old: it was read at ${clockTime(Date.parse(this.data.now))}.`);
    }
    this.showAge();
  }

  showFoot() {
    const isFull = this.data.detail === "full";
    byId("token-form").hidden = isFull;
    byId("token-held").hidden = !(isFull && this.token !== "");
    setText(byId("token-note"), this.token !== "" && this.data.token_refused
      ? "That token is not the one. Keys and error texts are hidden from here." : "Keys and error texts are hidden from here.");
    byId("token-note").className = this.token !== "" && this.data.token_refused ? "warn" : "";
    byId("not-read").hidden = this.data.not_read.length === 0;
    setText(byId("not-read"), `Could not be read: ${this.data.not_read.join("; ")}`);
    setText(byId("version"), this.data.version);
  }

  showAge() {
    if (!this.verdict) return;
    const since = (performance.now() - (this.trouble ? this.trouble.since : this.takenAt)) / 1000;
    showVerdict(this.verdict, this.trouble ? `for ${roughly(since)}` : `as of ${clockTime(Date.parse(this.data.now))}${
      since < 15 ? "" : `, ${roughly(since)} ago`}`);
  }
}

document.addEventListener("DOMContentLoaded", () => new Page());
