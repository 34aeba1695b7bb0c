/** Recurring classes: every week on these days at this time. */

import { h } from "../shared/dom.js";
import { part, patch, post, readAll, remove } from "../shared/api.js";
import { ask, note } from "../shared/dialogs.js";
import { addDays } from "../shared/format.js";
import { empty, field, icon, tag, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { ageField, clubField, common, commonBody } from "./form.js";
import { Override } from "./override.js";
import { confirmReach } from "./reach.js";

const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/** A Monday, to name the days by. */
const MONDAY = "2024-01-01";

export class AllSeries {
  list = null;

  constructor(screen) {
    this.screen = screen;
  }

  get missing() {
    return !this.list;
  }

  async load() {
    this.list = await readAll("/v1/series");
    this.screen.update();
  }

  /** `FREQ=WEEKLY;BYDAY=MO,TH` as days; any other rule as it is written. */
  #when(series) {
    const days = weekly(series.rrule);
    return `${days ? this.screen.fmt.list(days.map((day) => dayName(this.screen, DAYS.indexOf(day)))) : series.rrule} · ${series.time}`;
  }

  view() {
    const { fmt } = this.screen;
    return [
      h("div.bar-top", { key: "top" }, h("p.hint.grow", null, t("series.hint")),
        h("button.primary", { type: "button", onclick: () => this.#edit() }, icon("plus"), t("series.new"))),
      !this.list ? h("div", { key: "wait" }, waiting(3)) : this.list.length === 0 ? h("div", { key: "none" }, empty(t("series.none")))
        : h("ul.sessions", { key: "list" }, this.list.map((series) => h("li.session.still", { key: series.id },
          h("span.what", null, h("strong", null, series.title),
            h("span.about", null, [this.#when(series), fmt.minutes(series.minutes), this.screen.club(series.club), series.instructor?.name].filter(Boolean).join(" · "))),
          h("span.marks", null, series.status === "ended" ? tag("plain", t("series.ended")) : series.published_until && tag("good", t("series.published", { when: fmt.dayShort(series.published_until) }))),
          series.status !== "ended" && h("span.row", null,
            h("button.plain.small", { type: "button", "aria-label": `${t("panel.change")}: ${series.title}`, onclick: () => this.#edit(series) }, t("panel.change")),
            h("button.plain.small", { type: "button", "aria-label": `${t("series.end")}: ${series.title}`, onclick: () => this.#end(series) }, t("series.end")))))),
    ];
  }

  #edit(series) {
    return editSeries(this.screen, series).then((done) => done && this.screen.attempt(() => this.load()));
  }

  #end(series) {
    return ask(this.screen.fmt, {
      title: t("series.end_title", { title: series.title }), body: () => h("p", null, t("series.end_text")),
      actions: [{ label: t("series.end"), tone: "danger", run: async () => { await remove(`/v1/series/${part(series.id)}`); await this.load(); } }],
    });
  }
}

/** Makes a series, or changes one: then only what differs is sent, so that in each class only that follows. */
export function editSeries(screen, series) {
  const own = new Override(screen, series?.policy);
  const chosen = weekly(series?.rrule ?? "FREQ=WEEKLY;BYDAY=MO");
  return ask(screen.fmt, {
    title: series ? t("series.change_title", { title: series.title }) : t("series.new"), wide: true,
    body: (redraw) => [
      h("fieldset", { key: "days" }, h("legend", null, t("series.days")),
        chosen ? h("div.row", null, DAYS.map((day, index) => h("label.option", { key: day },
          h("input", { type: "checkbox", name: "day", value: day, checked: chosen.includes(day) || undefined }), h("span", null, dayName(screen, index)))))
          : h("input", { name: "rrule", value: series.rrule, required: true, "aria-label": t("series.rule") })),
      h("div.grid", { key: "grid" },
        field(t("form.time"), h("input", { name: "time", type: "time", required: true, value: series?.time ?? "18:00" })),
        field(t("series.from"), h("input", { name: "starts_on", type: "date", required: true, value: series?.starts_on ?? screen.fmt.date() })),
        field(t("series.until"), h("input", { name: "until", type: "date", value: series?.until ?? undefined })),
        field(t("series.exceptions"), h("input", { name: "exceptions", value: series?.exceptions?.join(", ") ?? undefined, pattern: "\\s*(\\d{4}-\\d\\d-\\d\\d[,\\s]*)*" }), { hint: t("series.exceptions_hint") }),
        clubField(screen, series?.club ?? screen.clubs[0]?.id), common(screen, series), ageField(series)),
      own.view(redraw),
    ],
    actions: [{
      label: series ? t("save") : t("series.create"),
      run: async (form) => {
        const days = form.getAll("day");
        const body = {
          ...commonBody(form, series), club: form.get("club"), time: form.get("time"), starts_on: form.get("starts_on"),
          rrule: form.get("rrule") ?? `FREQ=WEEKLY;BYDAY=${days.join(",")}`,
          until: form.get("until") || (series?.until ? null : undefined),
          exceptions: form.get("exceptions").match(/\d{4}-\d\d-\d\d/g) ?? (series?.exceptions?.length ? [] : undefined),
          policy: own.body(),
        };
        if (series) {
          for (const name of Object.keys(body)) if (same(body[name], series[name])) delete body[name];
          if (Object.keys(body).length === 0) return "same";
          body.reach = await confirmReach(screen, series, body);
          if (!body.reach) return false;
        }
        const done = series ? await patch(`/v1/series/${part(series.id)}`, body, { match: series.revision }) : await post("/v1/series", body);
        note(t("series.done", { published: done.published.length, changed: done.changed.length, cancelled: done.cancelled.length, left: done.left_alone.length }), "good");
        return done;
      },
    }],
  });
}

const dayName = (screen, index) => screen.fmt.weekdayShort(addDays(MONDAY, index));

/** What is absent is null. */
const same = (value, known) => value === undefined || JSON.stringify(value) === JSON.stringify(known ?? null);

function weekly(rule) {
  const found = /^FREQ=WEEKLY;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)$/.exec(rule);
  return found && found[1].split(",");
}
