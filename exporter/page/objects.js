// The dead or vanished objects of one run: searched and paged by the server, on demand.

const requestsInARow = 50;  // of a search that finds little: a million objects
const typingPause = 300;

class Objects {
  // `ask(path)` answers with JSON, or throws an Error that says what went wrong.
  constructor(task, ask) {
    this.task = task;
    this.ask = ask;
    this.state = "dead";
    this.question = 0;  // counts questions, so that a late answer to an old one is dropped
    this.buttons = {};
    for (const state of ["dead", "vanished"]) {
      this.buttons[state] = element("button", {type: "button"});
      this.buttons[state].addEventListener("click", () => { this.state = state; this.begin(); });
    }
    this.find = element("input", {type: "search", autocomplete: "off", spellcheck: "false",
                                  "aria-label": "Part of a key or of an error",
                                  placeholder: "part of a key or error"});
    this.find.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.begin(), typingPause);
    });
    this.list = element("ol", {class: "objects"});
    this.message = element("p", {class: "muted", role: "status"});
    this.more = element("button", {type: "button", hidden: true}, "More");
    this.more.addEventListener("click", () => this.goOn());
    this.title = element("h4");
    this.node = element("div", {class: "panel", hidden: true}, this.title,
                        element("div", {class: "row-of-tools"}, this.buttons.dead, this.buttons.vanished, this.find),
                        this.list, this.message, this.more);
  }

  // Called with every status. Asks only where it is seen, and when there is something else to show.
  update(run, isSeen, mayAsk) {
    const counts = run ? {dead: run.objects.dead, vanished: run.objects.vanished} : {dead: 0, vanished: 0};
    const any = counts.dead + counts.vanished > 0;
    this.node.hidden = !any;
    if (!any) { this.shown = undefined; return; }
    if (counts[this.state] === 0) this.state = counts.dead > 0 ? "dead" : "vanished";
    setText(this.title, `Objects of run ${run.run} that did not come over`);
    for (const [state, button] of Object.entries(this.buttons)) {
      setText(button, `${count(counts[state])} ${state}`);
      button.hidden = counts[state] === 0;
      setAttribute(button, "aria-pressed", String(state === this.state));
    }
    this.find.hidden = !mayAsk;
    const toShow = JSON.stringify([run.run, counts, mayAsk]);
    if (!mayAsk) this.list.replaceChildren();
    if (!isSeen || toShow === this.shown) return;
    const same = mayAsk && this.run === run.run && this.pages > 1;  // somebody is reading further down
    this.run = run.run;
    this.shown = toShow;
    this.mayAsk = mayAsk;
    if (!same) this.begin();
  }

  begin() {
    for (const [state, button] of Object.entries(this.buttons)) {
      setAttribute(button, "aria-pressed", String(state === this.state));
    }
    ++this.question;
    this.next = 0;
    this.pages = 0;
    this.lookedAt = 0;
    this.fresh = true;
    this.goOn();
  }

  async goOn() {
    if (!this.mayAsk) {
      this.list.replaceChildren();
      setText(this.message, "Their keys and errors are hidden from here.");
      this.more.hidden = true;
      return;
    }
    const question = this.question;
    this.more.hidden = true;
    setText(this.message, "Searching…");
    try {
      for (let i = 0; i < requestsInARow; ++i) {
        const page = await this.ask(this.path());
        if (question !== this.question) return;
        if (this.take(page)) break;
      }
    } catch (error) {
      if (question !== this.question) return;
      setText(this.message, `They cannot be shown now: ${error.message}`);
      this.more.hidden = false;
    }
  }

  path() {
    const parameters = {task: this.task, run: this.run, state: this.state, after: this.next};
    if (this.find.value !== "") parameters.find = this.find.value;
    return `objects.json?${new URLSearchParams(parameters)}`;
  }

  // Whether there is something to show now, or nothing more.
  take(page) {
    if (this.fresh) this.list.replaceChildren();  // not before: nothing flickers
    this.fresh = false;
    this.list.append(...page.objects.map((object) => this.entry(object)));
    this.lookedAt += page.looked_at;
    this.next = page.next;
    const found = this.list.children.length;
    const isLast = page.next === null;
    this.more.hidden = isLast;
    if (found === 0 && !isLast) {
      setText(this.message, `Searching… ${count(this.lookedAt)} looked at`);
      return false;
    }
    if (page.objects.length > 0) ++this.pages;
    setText(this.message, found === 0 ? "None is like that." : isLast ? `${count(found)} shown, these are all.`
                                                                      : `${count(found)} shown.`);
    return true;
  }

  entry(object) {
    const facts = [`${bytes(object.size_bytes)}`, object.action === "delete" ? "to be deleted" : null,
                   object.attempts > 0 ? count(object.attempts, "attempt") : null, fullTime(object.finished_at)];
    return element("li", {}, element("p", {class: "key"}, visible(object.shown)),
                   object.error ? element("p", {class: this.state === "dead" ? "bad" : "muted"}, visible(object.error)) : null,
                   element("p", {class: "muted"}, ...joined(facts)));
  }
}
