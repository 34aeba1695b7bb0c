/** Members: found by name, phone or number, opened, added and changed. */

import { h } from "../shared/dom.js";
import { finder } from "../shared/find.js";
import { openMember } from "../shared/member.js";
import { icon } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { editMember } from "./member_form.js";

export class Members {
  search = {};

  constructor(screen) {
    this.screen = screen;
  }

  async #add() {
    const member = await editMember(this.screen);
    if (member) await openMember(this.screen, member);
  }

  view() {
    return [
      h("div.bar-top", { key: "top" }, h("p.hint.grow", null, t("members.hint")),
        h("button.primary", { type: "button", onclick: () => this.#add() }, icon("plus"), t("members.new"))),
      h("section.box.narrow-box", { key: "members", "aria-label": t("staff.members") },
        finder(this.screen, this.search, (member) => openMember(this.screen, member), { id: "members-find" })),
    ];
  }
}
