// Elements. Text becomes text and nothing else: no markup is ever made from what was read.

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function byId(id) { return document.getElementById(id); }

// Only what changed is touched, so that a selection and a screen reader are left alone.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// Fills `node` anew, by make(), when what it shows is not what it showed before.
function refill(node, shown, make) {
  const mark = JSON.stringify(shown);
  if (node.shownMark === mark) return;
  node.shownMark = mark;
  node.replaceChildren(...make());
}

// "a · b": those that are there, in between something that breaks well.
function joined(parts, separator = " · ") {
  const nodes = [];
  for (const part of parts) {
    if (part === null || part === undefined || part === "") continue;
    if (nodes.length > 0) nodes.push(separator);
    nodes.push(part);
  }
  return nodes;
}

function coloured(level, text) { return element("span", {class: level}, text); }

// A moment, as its distance from now; the whole of it on hover.
function moment(text, now) {
  return element("time", {datetime: text, title: fullTime(text)}, ago(text, now));
}
