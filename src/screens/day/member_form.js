/** A member as the membership system tells of them, by hand: who they are, and what their membership covers. */

import { h } from "../shared/dom.js";
import { Problem, freshKey, part, put, read, remove } from "../shared/api.js";
import { ask, note } from "../shared/dialogs.js";
import { ID, ID_MAX } from "../shared/ids.js";
import { field, icon, select } from "../shared/parts.js";
import { LANGUAGES, t } from "../shared/words.js";

const CLIPS_MAX = 100_000;
const NEW = { name: "", membership: { plan: "unlimited", status: "active", clubs: "all", categories: "all", frozen: [] } };

/** Adds a member, or changes one as they are now. Answers with them as they then are, or `erased`. */
export async function editMember(screen, id) {
  let known = NEW;
  if (id !== undefined && !await screen.attempt(async () => { known = await read(`/v1/members/${part(id)}`); })) return undefined;
  const form = new MemberForm(screen, known, id === undefined);
  return ask(screen.fmt, {
    title: id === undefined ? t("members.new") : t("panel.change_title", { title: known.name }), wide: true,
    body: (redraw, failed) => form.view(redraw, failed),
    actions: [
      { label: t("save"), run: (said) => form.save(said) },
      ...(id === undefined ? [] : [{ label: t("members.erase"), tone: "plain", run: () => form.erase() }]),
    ],
  });
}

class MemberForm {
  constructor(screen, known, isNew) {
    const { membership } = known;
    Object.assign(this, {
      screen, known, isNew, plan: membership.plan, everywhere: membership.clubs === "all", everything: membership.categories === "all",
      frozen: membership.frozen.map((span, key) => ({ ...span, key })),
    });
  }

  view(redraw, failed) {
    const { known, known: { membership } } = this;
    const wrong = new Set(failed?.errors?.map(({ pointer }) => pointer));
    const told = (pointer, hint) => ({ hint, error: wrong.has(pointer) ? t("form.check") : undefined });
    const input = (name, value, props = {}) => h("input", { name, value: value ?? undefined, autocomplete: "off", ...props });
    const set = (change) => { Object.assign(this, change); redraw(); };
    return [
      h("div.grid", { key: "who" },
        field(t("members.name"), input("name", known.name, { required: true, maxlength: 200 }), told("/name")),
        this.isNew ? field(t("members.id"), input("id", undefined, { required: true, maxlength: ID_MAX, pattern: ID }), told("/id", t("members.id_hint"))) : null,
        field(t("members.phone"), input("phone", known.phone, { type: "tel", maxlength: 64 }), told("/phone")),
        field(t("members.email"), input("email", known.email, { type: "email", maxlength: 254 }), told("/email")),
        field(t("members.born"), input("born", known.born, { type: "date" }), told("/born", t("members.born_hint"))),
        field(t("language"), select("language", [["", t("members.no_language")], ...languages(known.language)], known.language ?? ""))),
      h("h3", { key: "membership" }, t("members.membership")),
      h("div.grid", { key: "what" },
        field(t("members.plan"), select("plan", ["unlimited", "clips"].map((plan) => [plan, t(`plan.${plan}`)]), this.plan, (plan) => set({ plan }))),
        this.plan === "clips" && field(t("members.clips"), input("clips", membership.clips ?? 0, { type: "number", min: 0, max: CLIPS_MAX, required: true }), told("/membership/clips")),
        field(t("members.status"), select("status", ["active", "blocked", "ended"].map((status) => [status, t(`membership.${status}`)]), membership.status), { hint: t("members.status_hint") }),
        field(t("members.valid_from"), input("valid_from", membership.valid_from, { type: "date" }), told("/membership/valid_from")),
        field(t("members.valid_until"), input("valid_until", membership.valid_until, { type: "date" }), told("/membership/valid_until", t("members.valid_hint")))),
      h("fieldset", { key: "clubs" }, h("legend", null, t("members.clubs")),
        option("everywhere", t("staff.all_clubs"), this.everywhere, (everywhere) => set({ everywhere })),
        !this.everywhere && h("div.row", { key: "some" }, this.screen.clubs.map((club) =>
          option("club", club.name, Array.isArray(membership.clubs) && membership.clubs.includes(club.id), undefined, club.id)))),
      h("fieldset", { key: "categories" }, h("legend", null, t("members.categories")),
        option("everything", t("members.all_categories"), this.everything, (everything) => set({ everything })),
        !this.everything && field(t("form.category"), input("categories", Array.isArray(membership.categories) ? membership.categories.join(", ") : undefined), { hint: t("members.categories_hint") })),
      h("fieldset", { key: "frozen" }, h("legend", null, t("members.frozen")),
        h("p.hint", { key: "hint" }, t("members.frozen_hint")),
        this.frozen.map((span) => this.#span(span, input, redraw)),
        h("div", { key: "more" }, h("button.plain.small", { type: "button", onclick: () => set({ frozen: [...this.frozen, { key: freshKey() }] }) }, icon("plus"), t("members.freeze")))),
    ];
  }

  #span(span, input, redraw) {
    const drop = () => { this.frozen = this.frozen.filter((one) => one !== span); redraw(); };
    return h("div.row.span", { key: `span-${span.key}` },
      h("label", null, h("span", null, t("series.from")), input("frozen_from", span.from, { type: "date", required: true })),
      h("label", null, h("span", null, t("series.until")), input("frozen_until", span.until, { type: "date", required: true })),
      h("button.plain.small", { type: "button", onclick: drop }, t("members.unfreeze")));
  }

  /** What the form says, as a whole member: what is left empty is not there. */
  #body(said) {
    const text = (name) => said.get(name)?.trim() || undefined;
    const { known: { membership } } = this;
    const clips = this.plan === "clips" ? Number(said.get("clips")) : undefined;
    const counted = clips !== undefined && clips !== membership.clips;
    const from = said.getAll("frozen_from");
    return {
      name: text("name"), phone: text("phone"), email: text("email"), born: text("born"), language: text("language"),
      membership: {
        plan: this.plan, status: said.get("status"), valid_from: text("valid_from"), valid_until: text("valid_until"),
        // A number that nobody touched may have moved meanwhile. One that was typed counts, whoever counted before.
        ...(counted ? { clips, clips_revision: membership.clips_revision && `desk-${freshKey()}` } : {}),
        clubs: this.everywhere ? "all" : said.getAll("club"),
        categories: this.everything ? "all" : [...new Set((text("categories") ?? "").split(",").map((one) => one.trim()).filter(Boolean))],
        frozen: said.getAll("frozen_until").map((until, index) => ({ from: from[index], until })),
      },
    };
  }

  async save(said) {
    const id = this.isNew ? said.get("id").trim() : this.known.id;
    if (this.isNew && await read(`/v1/members/${part(id)}`).catch(absent)) throw new Problem({ code: "taken", errors: [{ pointer: "/id" }] });
    const member = await put(`/v1/members/${part(id)}`, this.#body(said));
    note(t("members.saved", { name: member.name }), "good");
    return member;
  }

  /** The form stays open where they were not. */
  async erase() {
    const { name, id } = this.known;
    return await ask(this.screen.fmt, {
      title: t("members.erase_title", { name }), body: () => h("p", null, t("members.erase_text")),
      actions: [{ label: t("members.erase"), tone: "danger", run: () => remove(`/v1/members/${part(id)}`) }],
    }) === true && "erased";
  }
}

const option = (name, label, checked, onchange, value = "on") => h("label.option", { key: `${name}-${value}` },
  h("input", { type: "checkbox", name, value, checked: checked || undefined, onchange: onchange && ((event) => onchange(event.target.checked)) }),
  h("span", null, label));

/** The screens' languages, and the member's own where it is another. */
function languages(own) {
  return Object.entries(own && !(own in LANGUAGES) ? { ...LANGUAGES, [own]: own } : LANGUAGES);
}

/** Nobody there is an answer; anything else is not. */
function absent(problem) {
  if (problem.code !== "not_found") throw problem;
  return null;
}
