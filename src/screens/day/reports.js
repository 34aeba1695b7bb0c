/** How full classes are and who stays away, as pictures. Each picture is a table too, for those who do not see it. */

import { h } from "../shared/dom.js";
import { read } from "../shared/api.js";
import { addDays, zoned } from "../shared/format.js";
import { choice, empty, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";

/** The height of a picture: rare things are not drawn as if they were nothing. */
const SCALES = [0.1, 0.25, 0.5, 1];
/** Days from today: where each span begins and ends. */
const SPANS = { past7: [-7, 0], past28: [-28, 0], past84: [-84, 0], next14: [0, 14] };
const [WIDTH_MAX, HEIGHT, LEFT, BOTTOM] = [640, 220, 56, 24];
/** A day's name needs so much. */
const NAME = 72;

export class Reports {
  span = "past28";
  report = null;

  constructor(screen) {
    this.screen = screen;
  }

  get missing() {
    return !this.report;
  }

  async load() {
    const [span, zone, today] = [this.span, this.screen.org.timezone, this.screen.fmt.date()];
    const [from, to] = SPANS[span].map((days) => zoned(addDays(today, days), "00:00", zone));
    const report = await read("/v1/reports/classes", { from, to });
    if (span !== this.span) return;
    this.report = report;
    this.screen.update();
  }

  view() {
    const spans = Object.keys(SPANS).map((name) => [name, t(`report.${name}`)]);
    const top = h("div", { key: "top" }, choice(t("report.span"), spans, this.span, (span) => {
      Object.assign(this, { span, report: null });
      this.screen.update();
      this.screen.attempt(() => this.load());
    }));
    if (!this.report) return [top, h("div", { key: "wait" }, waiting(3))];
    if (this.report.items.length === 0) return [top, h("div", { key: "none" }, empty(t("report.none")))];
    const { total } = this.report;
    const { fmt } = this.screen;
    const share = (value) => (value === null ? "–" : fmt.percent(value));
    const tile = (name, value) => h("div.tile", { key: name }, h("strong", null, value), h("span", null, t(`report.${name}`)));
    const days = this.#byDay();
    // Of what is ahead nobody has stayed away yet.
    const past = SPANS[this.span][1] <= 0;
    return [
      top,
      h("div.tiles", { key: "tiles" }, tile("held", fmt.number(total.classes)), tile("fill", share(total.fill_rate)), tile("no_show", share(total.no_show_rate)),
        tile("late_cancel", share(total.late_cancel_rate)), tile("to_spot", share(total.waitlist_to_spot_rate))),
      h("div.pictures", { key: "pictures" },
        this.#picture("fill_by_day", days, (day) => rate(day.taken, day.capacity), "brand"),
        past && this.#picture("no_show_by_day", days, (day) => rate(day.no_shows, day.taken), "bad"),
        this.#bars("by_club", this.report.clubs.map((one) => ({ name: this.screen.club(one.id), ...one })), past),
        this.#bars("by_instructor", this.report.instructors, past)),
    ];
  }

  #byDay() {
    const days = new Map();
    for (const item of this.report.items) {
      const day = item.starts_at.slice(0, 10);
      const sum = days.get(day) ?? { day, taken: 0, capacity: 0, no_shows: 0 };
      for (const name of ["taken", "capacity", "no_shows"]) sum[name] += item[name];
      days.set(day, sum);
    }
    return [...days.values()].sort((a, b) => a.day.localeCompare(b.day));
  }

  /** One bar a day, from nothing to all. */
  #picture(name, days, value, tone) {
    const { fmt } = this.screen;
    // Drawn to the size it is shown at, so that its words stay readable on a phone.
    const wide = Math.min(WIDTH_MAX, document.documentElement.clientWidth - 64);
    const step = (wide - LEFT) / days.length;
    const most = Math.max(0, ...days.map((day) => value(day) ?? 0));
    const top = SCALES.find((scale) => most <= scale) ?? 1;
    const y = (share) => (HEIGHT - BOTTOM - 12) * (1 - share / top) + 12;
    const every = Math.ceil(NAME / step);
    return h("figure.box", { key: name }, h("figcaption", null, t(`report.${name}`)),
      h("svg.chart", { viewBox: `0 0 ${wide} ${HEIGHT + 4}`, role: "img", "aria-label": t(`report.${name}`) },
        [0, top / 2, top].map((line) => h("g", { key: `line-${line}` },
          h("line.axis", { x1: LEFT, x2: wide, y1: y(line), y2: y(line) }),
          h("text.label", { x: LEFT - 8, y: y(line) + 5, "text-anchor": "end" }, fmt.percent(line)))),
        days.map((day, index) => {
          const share = Math.min(1, value(day) ?? 0);
          const width = Math.min(step * 0.7, 40);
          return h("g", { key: day.day },
            h(`rect.${tone}`, { x: LEFT + step * index + (step - width) / 2, y: y(share), width, height: Math.max(0, y(0) - y(share)), rx: Math.min(4, width / 3) }),
            index % every === 0 && h("text.label", { x: LEFT + step * (index + 0.5), y: HEIGHT + 2, "text-anchor": "middle" }, fmt.dayShort(day.day)));
        })),
      this.#table(days.map((day) => [fmt.dayLong(day.day), value(day)])));
  }

  #bars(name, groups, past) {
    const { fmt } = this.screen;
    const sorted = groups.sort((a, b) => (b.fill_rate ?? 0) - (a.fill_rate ?? 0));
    return h("figure.box", { key: name }, h("figcaption", null, t(`report.${name}`)),
      h("ul.bars", null, sorted.map((one) => h("li", { key: one.id },
        h("span.bar-name", null, one.name),
        h("span.bar-value", null, one.fill_rate === null ? "–" : fmt.percent(one.fill_rate)),
        h("div.bar", { "aria-hidden": "true" }, h("div", { style: { width: `${Math.round((one.fill_rate ?? 0) * 100)}%` } })),
        past && h("span.bar-more", null, t("report.no_shows", { n: one.no_shows }))))));
  }

  #table(rows) {
    return h("details", null, h("summary", null, t("report.numbers")),
      h("table", null, h("tbody", null, rows.map(([name, value]) => h("tr", { key: name },
        h("th", { scope: "row" }, name), h("td.number", null, value === null ? "–" : this.screen.fmt.percent(value)))))));
  }
}

const rate = (some, all) => (all > 0 ? some / all : null);
