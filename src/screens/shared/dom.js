/**
 * What is on the page follows from what is known: a view is a function that says what should be there, and `render`
 * changes the page where it differs. Elements are kept (by `key`, else by tag and order), and so are focus, what was
 * typed and what a screen reader is reading. No markup is ever parsed from text.
 */

const KIDS = Symbol("children");
const PROPS = Symbol("properties");
/** Not a field: focus there brings up a phone's keyboard. */
const FOCUSABLE = "button:not(:disabled), a[href]";
const SVG = "http://www.w3.org/2000/svg";

/** One element that should be there: `h("button.primary", {onclick}, "Book")`. */
export function h(name, props, ...children) {
  const [tag, ...classes] = name.split(".");
  const given = props ?? {};
  if (classes.length) given.class = classes.join(" ") + (given.class ? ` ${given.class}` : "");
  return { tag, key: given.key, props: given, children: flat(children) };
}

/** Makes the children of `parent` what `nodes` say. */
export function render(parent, ...nodes) {
  const refocus = parent.contains(document.activeElement) ? keepFocus() : () => {};
  patchChildren(parent, flat(nodes), parent.namespaceURI === SVG);
  refocus();
}

/** Notes where the focus is. What it returns puts it back there or, where that is gone, as near as can be. */
export function keepFocus() {
  const focused = document.activeElement;
  const around = [];
  for (let element = focused; element; element = element.parentElement) around.push(element);
  return () => {
    if (document.activeElement === focused) return;
    const kept = around.find((element) => element.isConnected);
    const to = kept === focused ? kept : kept.querySelector(FOCUSABLE) ?? kept;
    if (to === kept && kept !== focused) to.setAttribute("tabindex", "-1");
    to.focus({ preventScroll: true });
  };
}

function flat(children) {
  const nodes = [];
  for (const child of children) {
    if (Array.isArray(child)) nodes.push(...flat(child));
    else if (child !== null && child !== undefined && child !== false && child !== true) nodes.push(child);
  }
  return nodes;
}

const tagOf = (node) => (typeof node === "object" ? node.tag : "#text");
const keyOf = (node) => (typeof node === "object" ? node.key : undefined);

function patchChildren(parent, nodes, svg) {
  const keyed = new Map();
  const loose = [];
  for (const kid of parent[KIDS] ?? []) {
    if (kid.key === undefined) loose.push(kid);
    else keyed.set(`${kid.tag} ${kid.key}`, kid);
  }
  const kids = nodes.map((node) => {
    const [tag, key] = [tagOf(node), keyOf(node)];
    let kid;
    if (key !== undefined) {
      kid = keyed.get(`${tag} ${key}`);
      keyed.delete(`${tag} ${key}`);
    } else {
      const at = loose.findIndex((old) => old.tag === tag);
      if (at >= 0) [kid] = loose.splice(at, 1);
    }
    return { node, kid: kid ?? { tag, key, element: create(node, svg) } };
  });
  for (const kid of [...loose, ...keyed.values()]) kid.element.remove();
  parent[KIDS] = kids.map(({ kid }) => kid);
  kids.forEach(({ node, kid }, index) => {
    const there = parent.childNodes[index];
    if (there !== kid.element) parent.insertBefore(kid.element, there ?? null);
    patch(kid.element, node, svg);
  });
}

function create(node, svg) {
  if (typeof node !== "object") return document.createTextNode("");
  return svg || node.tag === "svg" ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
}

function patch(element, node, svg) {
  if (typeof node !== "object") {
    const text = String(node);
    if (element.data !== text) element.data = text;
    return;
  }
  const before = element[PROPS] ?? {};
  for (const name of Object.keys(before)) {
    if (!(name in node.props)) set(element, name, undefined, before[name]);
  }
  const inside = svg || node.tag === "svg";
  // A component fills itself; a select's value can only be set once its options are there.
  if (!(node.tag.includes("-") && node.children.length === 0)) patchChildren(element, node.children, inside);
  for (const name of Object.keys(node.props)) set(element, name, node.props[name], before[name]);
  element[PROPS] = node.props;
}

const LIVE = new Set(["value", "checked", "indeterminate"]);

function set(element, name, value, before) {
  if (name === "key") return;
  if (value === before) {
    // As it was; above all, what somebody has typed since stays.
  } else if (LIVE.has(name)) {
    if (value !== undefined && element[name] !== value) element[name] = value;
  } else if (name.startsWith("on")) {
    element[name] = value ?? null;
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value ?? {})) element.style.setProperty(property, text);
  } else if (value !== null && typeof value === "object") {
    element[name] = value;
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}
