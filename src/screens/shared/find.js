/** Finding a member by the beginning of a name, a phone or an id. */

import { h } from "./dom.js";
import { read } from "./api.js";
import { ask } from "./dialogs.js";
import { empty, tag } from "./parts.js";
import { t } from "./words.js";

const WAIT_MS = 180;
const SHOWN = 20;

/** A field and what it finds; `pick` is called with a member. State lives in `box`, which the screen keeps. */
export function finder(screen, box, pick, { id = "find", action } = {}) {
  const look = async () => {
    const query = box.query.trim();
    if (!query) { box.found = null; screen.update(); box.update?.(); return; }
    const page = await read("/v1/members", { query, limit: SHOWN }).catch(() => null);
    if (query !== box.query.trim() || !page) return;
    box.found = page.items;
    screen.update();
    box.update?.();
  };
  return h("div.stack", { key: id },
    h("div.field", { key: "field" }, h("label", { for: id }, t("desk.find")),
      h("input", { id, type: "search", autocomplete: "off", placeholder: t("desk.find_hint"), value: box.query ?? "",
        oninput: (event) => { box.query = event.target.value; clearTimeout(box.timer); box.timer = setTimeout(look, WAIT_MS); },
        onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); clearTimeout(box.timer); look(); } } })),
    h("div", { key: "found", role: "status" },
      box.found && (box.found.length === 0 ? empty(t("desk.found_none"))
        : h("ul.lines", null, box.found.map((member) => h("li", { key: member.id },
          h("div", null, h("strong", null, member.name), h("p.about", null, [member.id, member.phone].filter(Boolean).join(" · "))),
          h("div.marks", null, member.membership.status !== "active" && tag("bad", t(`membership.${member.membership.status}`)),
            h("button.plain.small", { type: "button", "aria-label": `${action ?? t("member.open")}: ${member.name}`, onclick: () => pick(member) }, action ?? t("member.open")))))))));
}

/** Asks for a member and does something with them. */
export function askMember(screen, { title, label, run }) {
  const box = {};
  return ask(screen.fmt, {
    title,
    body: (redraw, failed, act) => {
      box.update = redraw;
      return finder(screen, box, (member) => act({ run: () => run(member) }), { id: "find-for", action: label });
    },
  });
}
