// What is well and what is not: of each task, and of all.

const stalledSeconds = 15 * 60;   // as the alert RunStalled
const refreshSeconds = 15 * 60;   // as the alert RefreshStuck
const reasonsShown = 8;

const marks = {good: "✓", warn: "!", bad: "✗", away: "?", none: "…"};
const iconColours = {good: "#2da44e", warn: "#d4a017", bad: "#d1242f", away: "#57606a", none: "#8c959f"};

function latest(task) { return task.runs.find((run) => run.state !== "skipped"); }
function goingOn(task) { return task.runs.find((run) => run.active); }
function latestClosed(task) { return task.runs.find((run) => run.state !== "skipped" && !run.open); }

// What somebody should look at: [{level, text}], the worst first.
function troubles(task, now) {
  const found = [];
  const bad = (text) => found.push({level: "bad", text});
  const warn = (text) => found.push({level: "warn", text});
  const run = goingOn(task);
  const last = latest(task);
  const closed = latestClosed(task);
  if (run) {
    const still = secondsSince(run.progress_at || run.started_at, now);
    if (still > stalledSeconds) bad(`no progress for ${roughly(still)}`);
  } else {
    if (task.state === "failed") bad(`failed ${ago(last.finished_at, now)}`);
    if (task.overdue) {
      bad(task.succeeded_at ? `overdue: last complete ${ago(task.succeeded_at, now)}` : "overdue: never complete");
    }
    if (task.state === "interrupted") warn("interrupted, the next run goes on");
  }
  if (run && run.objects.dead > 0) {
    warn(`${count(run.objects.dead, "object")} dead so far`);
  } else if (closed && closed.objects.dead > 0) {
    warn(`${count(closed.objects.dead, "object")} dead in the last run that ended`);
  } else if (!run && task.state === "incomplete") {
    warn("incomplete");
  }
  for (const refresh of task.refresh) {
    if (!refresh.due) continue;
    const waits = refresh.required_at ? secondsSince(refresh.required_at, now) : 0;
    if (waits > refreshSeconds) warn(`${refresh.target} not refreshed for ${roughly(waits)}`);
    else if (refresh.tries > 1) warn(`refresh of ${refresh.target} fails`);
  }
  return found.sort((a, b) => (a.level === "bad" ? 0 : 1) - (b.level === "bad" ? 0 : 1));
}

function levelOf(task, found) {
  if (found.length > 0) return found[0].level;
  if (goingOn(task)) return "work";
  return task.state === "complete" ? "good" : "none";
}

function headline(level, troubled, tasks) {
  if (level === "good") return "All is well";
  if (level === "none") return "No task has run yet";
  if (troubled.length === 1) return `${troubled[0].task}: ${troubled[0].found[0].text}`;
  return `${troubled.length} of ${count(tasks, "task")} need attention`;
}

// `rate`: bytes a second of all that goes on.
function judge(data, now, rate) {
  const troubled = data.tasks.map((task) => ({task: task.task, found: troubles(task, now)}))
                             .filter((one) => one.found.length > 0);
  const givenUp = data.notifications.filter((one) => one.state === "given_up").length;
  const active = data.tasks.filter((task) => task.active).length;
  const never = data.tasks.filter((task) => task.runs.length === 0).length;
  const worst = (level) => troubled.some((one) => one.found[0].level === level);
  let level = "good";
  if (worst("bad")) level = "bad";
  else if (worst("warn") || givenUp > 0) level = "warn";
  else if (never === data.tasks.length) level = "none";
  const reasons = troubled.map((one) => ({task: one.task, level: one.found[0].level,
                                          text: one.found.map((trouble) => trouble.text).join("; ")}));
  reasons.sort((a, b) => (a.level === "bad" ? 0 : 1) - (b.level === "bad" ? 0 : 1));
  if (givenUp > 0) reasons.push({task: null, text: `${count(givenUp, "notification")} given up`});
  return {
    level,
    headline: troubled.length === 0 && givenUp > 0 ? "Somebody was not told" : headline(level, troubled, data.tasks.length),
    facts: [count(data.tasks.length, "task"),
            active > 0 ? `${active} at work${rate > 0 ? `, ${bytes(rate)}/s` : ""}` : "none at work",
            never > 0 && never < data.tasks.length ? `${count(never)} never ran` : null,
            data.workers.length > 0 ? count(data.workers.length, "worker") : null],
    reasons,
  };
}

function showVerdict(verdict, age) {
  setAttribute(byId("verdict"), "data-level", verdict.level);
  setText(byId("mark"), marks[verdict.level]);
  setText(byId("headline"), verdict.headline);
  setText(byId("facts"), joined([...verdict.facts, age]).join(""));
  const shown = verdict.reasons.slice(0, reasonsShown);
  const more = verdict.reasons.length - shown.length;
  refill(byId("reasons"), verdict.reasons, () => [
    ...shown.map((reason) => element("li", {}, ...(reason.task === null ? [] : [
      element("a", {href: `#task-${reason.task}`}, reason.task), ": "]), reason.text)),
    ...(more > 0 ? [element("li", {}, `and ${count(more)} more`)] : []),
  ]);
  document.title = `${marks[verdict.level]} ${verdict.headline} – bucketferry`;
  const colour = encodeURIComponent(iconColours[verdict.level]);
  setAttribute(byId("icon"), "href", "data:image/svg+xml," +
    `%3Csvg xmlns='http%3A%2F%2Fwww.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='${colour}'/%3E%3C/svg%3E`);
}
