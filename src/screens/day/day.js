/** `/`: the staff's day. One section at a time: classes, series, closing days, members, fees, reports, rules. */

import { h } from "../shared/dom.js";
import { tabs } from "../shared/parts.js";
import { Screen } from "../shared/screen.js";
import { t } from "../shared/words.js";
import { Classes } from "./classes.js";
import { Closures } from "./closures.js";
import { Ledger } from "./ledger.js";
import { editMember } from "./member_form.js";
import { Members } from "./members.js";
import { Reports } from "./reports.js";
import { Rules } from "./rules.js";
import { AllSeries } from "./series.js";

const SECTIONS = { classes: Classes, series: AllSeries, closures: Closures, members: Members, fees: Ledger, reports: Reports, rules: Rules };

class Day extends Screen {
  static words = ["door", "staff", "policy"];
  static roles = ["staff", "admin"];

  section = location.hash.slice(2) in SECTIONS ? location.hash.slice(2) : "classes";
  sections = {};

  title() {
    return t("staff.title");
  }

  async begin() {
    for (const [name, Section] of Object.entries(SECTIONS)) this.sections[name] = new Section(this);
    await this.sections[this.section].load?.();
  }

  connected(feed) {
    feed.poll(() => {
      const section = this.sections[this.section];
      return section.refresh?.() ?? (section.missing ? section.load() : undefined);
    });
    this.sections.classes.watch();
    addEventListener("hashchange", () => this.show(location.hash.slice(2)));
  }

  show(section) {
    if (!(section in SECTIONS) || section === this.section) return;
    this.section = section;
    history.replaceState(null, "", `#/${section}`);
    this.update();
    queueMicrotask(() => document.getElementById(`tab-${section}`)?.scrollIntoView({ block: "nearest", inline: "center" }));
    this.attempt(() => this.sections[section].load?.());
  }

  /** Here a member can be changed, and is shown as they then are. */
  memberTools(card) {
    return h("button.plain.small", { type: "button", "data-action": "edit", onclick: async () => {
      const done = await editMember(this, card.member.id);
      if (done === "erased") card.close();
      else if (done) await this.attempt(() => card.load());
    } }, t("panel.change"));
  }

  view() {
    const options = Object.keys(SECTIONS).map((name) => [name, t(`staff.${name}`)]);
    return [
      h("nav", { key: "nav", "aria-label": t("nav") }, tabs(t("nav"), options, this.section, (section) => this.show(section))),
      h("div.panel.stack", { key: this.section, id: "panel", role: "tabpanel", "aria-labelledby": `tab-${this.section}` }, this.sections[this.section].view()),
    ];
  }
}

customElements.define("rc-day", Day);
