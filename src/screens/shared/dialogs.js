/** Questions before something is done, and short notes after it. Dialogs are the browser's own: focus stays inside,
 * Escape closes, and focus returns to where it was. */

import { h, keepFocus, render } from "./dom.js";
import { Problem } from "./api.js";
import { problemWords } from "./problems.js";
import { t } from "./words.js";

const NOTE_MS = 6_000;
let asked = 0;

/**
 * Asks in a dialog. `body(redraw, failed, act, close)` is a view; `actions` are `{label, tone, run}`, of which `run` may take its time: the
 * dialog stays until it is done and shows what went wrong, and where `run` gives false. Answers with what `run` gave, or undefined when closed.
 */
export function ask(fmt, { title, body, actions = [], wide = false, closeLabel }) {
  return new Promise((answer) => {
    const dialog = document.createElement("dialog");
    const refocus = keepFocus();
    dialog.className = wide ? "wide" : "";
    const heading = `dialog-${asked += 1}`;
    dialog.setAttribute("aria-labelledby", heading);
    let busy = false;
    let failed = null;
    let result;
    const draw = () => render(dialog, h("form", { method: "dialog", novalidate: true, onsubmit: submit },
      h("h2", { id: heading }, typeof title === "function" ? title() : title),
      h("div.body", { key: "body" }, body(draw, failed, act, () => dialog.close())),
      h("div.notes", { key: "notes", role: "status", "aria-live": "polite" }),
      h("p.error", { role: "alert" }, failed ? problemWords(fmt, failed) : ""),
      h("div.actions", { key: "actions" },
        h("button.plain", { key: "close", type: "button", onclick: () => dialog.close() }, closeLabel ?? t("close")),
        actions.map((action, index) =>
          h(`button.${action.tone ?? "primary"}`, { key: index, type: index ? "button" : "submit", "aria-busy": String(busy),
            onclick: index ? () => act(action) : undefined }, action.label)))));
    const submit = (event) => {
      event.preventDefault();
      if (actions[0]) act(actions[0]);
    };
    const act = async (action) => {
      if (busy) return;
      const form = dialog.querySelector("form");
      if (action === actions[0] && !form.reportValidity()) return;
      const said = new FormData(form);
      [busy, failed] = [true, null];
      draw();
      try {
        const done = await action.run(said) ?? true;
        if (done === false) {
          busy = false;
          return draw();
        }
        result = done;
        dialog.close();
      } catch (problem) {
        if (!(problem instanceof Problem)) console.error(problem);
        [busy, failed] = [false, problem];
        draw();
      }
    };
    dialog.addEventListener("close", () => {
      const said = dialog.querySelector(".notes").children;
      dialog.remove();
      notesHost().append(...said);
      if (document.activeElement === document.body) refocus();
      answer(result);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !busy) dialog.close();
    });
    draw();
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** What lies under an open dialog is neither seen nor read out, so the topmost one has the notes. */
const notesHost = () => [...document.querySelectorAll("dialog[open] .notes")].at(-1) ?? document.getElementById("notes");

/** A short note, read out politely and gone by itself. */
export function note(text, tone = "info") {
  const host = notesHost();
  const shown = document.createElement("div");
  shown.className = `note ${tone}`;
  shown.textContent = text;
  shown.addEventListener("click", () => shown.remove());
  host.append(shown);
  while (host.children.length > 3) host.firstChild.remove();
  setTimeout(() => shown.remove(), NOTE_MS);
}

/** Asks for a reason and does something with it. */
export function askReason(fmt, { title, text, label, tone = "danger", run, extra }) {
  return ask(fmt, {
    title,
    body: () => [
      text && h("p", null, text),
      h("div.field", { key: "reason" }, h("label", { for: "reason" }, t("reason")),
        h("input", { id: "reason", name: "reason", required: true, maxlength: 500, autocomplete: "off" })),
      extra,
    ],
    actions: [{ label, tone, run: (form) => run(form.get("reason").trim(), form) }],
  });
}
