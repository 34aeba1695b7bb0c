/** Members: found by name, phone or number, and opened. */

import { h } from "../shared/dom.js";
import { finder } from "../shared/find.js";
import { openMember } from "../shared/member.js";
import { t } from "../shared/words.js";

export class Members {
  search = {};

  constructor(screen) {
    this.screen = screen;
  }

  view() {
    return h("section.box.narrow-box", { key: "members", "aria-label": t("staff.members") },
      finder(this.screen, this.search, (member) => openMember(this.screen, member), { id: "members-find" }));
  }
}
