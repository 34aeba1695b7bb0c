/** The fields of a class, for publishing and for changing one, and what a recurrence adds. */

import { h } from "../shared/dom.js";
import { part, patch, post } from "../shared/api.js";
import { ask, note } from "../shared/dialogs.js";
import { zoned } from "../shared/format.js";
import { ID, ID_MAX } from "../shared/ids.js";
import { field, select } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { Override } from "./override.js";

const input = (name, value, props = {}) => h("input", { name, value: value ?? undefined, autocomplete: "off", ...props });

/** What a class and a series have in common. */
export function common(screen, known = {}) {
  return [
    field(t("form.title"), input("title", known.title, { required: true, maxlength: 200 })),
    field(t("form.category"), input("category", known.category, { maxlength: 100 })),
    field(t("form.room"), input("room", known.room, { maxlength: 100 })),
    field(t("form.instructor_id"), input("instructor_id", known.instructor?.id, { maxlength: ID_MAX, pattern: ID }), { hint: t("form.instructor_hint") }),
    field(t("form.instructor"), input("instructor_name", known.instructor?.name, { maxlength: 100 })),
    field(t("form.minutes"), input("minutes", known.minutes ?? 60, { type: "number", min: 1, max: 1440, required: true })),
    field(t("form.capacity"), input("capacity", known.capacity ?? 20, { type: "number", min: 1, max: 5000, required: true })),
    field(t("form.minimum"), input("minimum", known.minimum, { type: "number", min: 0, max: 5000 }), { hint: t("form.minimum_hint", { n: screen.org.policy.attendance.minimum }) }),
  ];
}

/** What is said once, when a class or a series is published. */
export const ageField = (known = {}) =>
  field(t("form.min_age"), input("min_age", known.min_age, { type: "number", min: 0, max: 120 }), { hint: t("form.min_age_hint") });

/** What the form says. Nothing that was left empty is sent, unless it takes something away. */
export function commonBody(form, known = {}) {
  const text = (name) => form.get(name)?.trim() || undefined;
  const number = (name) => (form.get(name) ? Number(form.get(name)) : undefined);
  const [id, name] = [text("instructor_id"), text("instructor_name")];
  const gone = (value, before) => value ?? (before !== undefined && before !== null ? null : undefined);
  return {
    title: text("title"),
    category: gone(text("category"), known.category),
    room: gone(text("room"), known.room),
    instructor: gone(id && { id, name: name ?? id }, known.instructor),
    minutes: number("minutes"),
    capacity: number("capacity"),
    minimum: number("minimum"),
    min_age: form.has("min_age") ? gone(number("min_age"), known.min_age) : undefined,
  };
}

export const clubField = (screen, chosen) => field(t("staff.club"), select("club", screen.clubs.map((club) => [club.id, club.name]), chosen));

/** Publishes a class. Answers with it. */
export function publish(screen, { club, day }) {
  const own = new Override(screen);
  return ask(screen.fmt, {
    title: t("staff.new_class"), wide: true,
    body: (redraw) => [
      h("div.grid", { key: "fields" }, clubField(screen, club),
        field(t("staff.day"), input("day", day, { type: "date", required: true })),
        field(t("form.time"), input("time", "18:00", { type: "time", required: true })), common(screen), ageField()),
      own.view(redraw),
    ],
    actions: [{
      label: t("form.publish"),
      run: async (form) => {
        const starts_at = zoned(form.get("day"), form.get("time"), screen.org.timezone);
        const found = await post("/v1/classes", { club: form.get("club"), starts_at, ...commonBody(form), policy: own.body() });
        note(t("form.published", { title: found.title, when: screen.fmt.moment(found.starts_at) }), "good");
        return found;
      },
    }],
  });
}

/** Changes a class: only what differs is sent, against the revision that was read. */
export function change(screen, found) {
  const minutes = Math.round((Date.parse(found.ends_at) - Date.parse(found.starts_at)) / 60_000);
  const [day, time] = [screen.fmt.date(found.starts_at), found.starts_at.slice(11, 16)];
  return ask(screen.fmt, {
    title: t("panel.change_title", { title: found.title }), wide: true,
    body: () => [
      h("p.hint", { key: "hint" }, t("form.change_hint", { notice: screen.fmt.span(screen.org.policy.change_notice) })),
      h("div.grid", { key: "fields" }, field(t("staff.day"), input("day", day, { type: "date", required: true })),
        field(t("form.time"), input("time", time, { type: "time", required: true })), common(screen, { ...found, minutes })),
    ],
    actions: [{
      label: t("save"),
      run: async (form) => {
        const body = commonBody(form, found);
        if (form.get("day") !== day || form.get("time") !== time) body.starts_at = zoned(form.get("day"), form.get("time"), screen.org.timezone);
        const before = { ...found, minutes };
        for (const name of Object.keys(body)) if (JSON.stringify(body[name] ?? null) === JSON.stringify(before[name] ?? null)) delete body[name];
        return patch(`/v1/classes/${part(found.id)}`, body, { match: found.revision });
      },
    }],
  });
}
