// Who works, and on what right now; and who waits to be told.

function heldLine(object) {
  const size = bytes(object.size_bytes);
  const facts = object.parts === undefined
    ? (object.action === "copy" ? size : `${object.action}, ${size}`)
    : `${percent(object.bytes_done, object.size_bytes)} % of ${size}, ${count(object.parts, "part")} here`;
  return element("li", {}, object.shown === undefined ? element("span", {class: "muted"}, "an object")
                                                      : element("span", {class: "key"}, visible(object.shown)),
                 " ", element("span", {class: "muted"}, facts));
}

function workerEntry(worker, now) {
  const held = worker.in_flight;
  const atMost = (number, what) => (number >= 100 ? `100 or more ${what}s` : count(number, what));
  const runs = worker.runs.map((run) => `${run.plans ? "plans" : "copies"} ${run.task}`);
  const does = worker.runs.length === 0 ? ["waits for work"]
    : [...runs, held.objects > 0 ? atMost(held.objects, "object") : null, held.parts > 0 ? atMost(held.parts, "part") : null];
  return element("div", {class: "worker"},
    element("div", {class: "worker-head"}, element("strong", {}, `${worker.host}, pid ${worker.pid}`),
            element("span", {class: worker.runs.length > 0 ? "work" : "muted"}, ...joined(does)),
            element("span", {class: "muted"}, "began ", moment(worker.since, now))),
    worker.objects.length > 0 ? element("ul", {class: "plain"}, ...worker.objects.map(heldLine)) : null);
}

function showWorkers(workers, now) {
  byId("workers-section").hidden = workers.length === 0;
  refill(byId("workers"), [workers.map((worker) => ({...worker, leased_until: 0})), Math.floor(now / 30000)],
         () => [element("div", {class: "card", "data-level": "none"}, ...workers.map((worker) => workerEntry(worker, now)))]);
}

function untoldEntry(one, now) {
  const state = one.state === "given_up" ? coloured("bad", "given up") : coloured("warn", "waits");
  const facts = [`run ${one.run}`, one.state === "waiting" ? tries(one, now) : count(one.tries, "try", "tries"),
                 `raised ${ago(one.created_at, now)}`];
  return element("div", {class: "worker"},
    element("div", {class: "worker-head"}, element("strong", {}, `${one.target}: ${one.task} ${one.event}`), state,
            element("span", {class: "muted"}, ...joined(facts))),
    one.error ? element("p", {class: "bad"}, visible(one.error)) : null);
}

function showUntold(all, now) {
  byId("untold-section").hidden = all.length === 0;
  refill(byId("untold"), [all, Math.floor(now / 10000)],
         () => [element("div", {class: "card", "data-level": all.some((one) => one.state === "given_up") ? "warn" : "none"},
                        ...all.map((one) => untoldEntry(one, now)))]);
}
