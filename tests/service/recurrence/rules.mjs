// Says what ical.js gives for each rule. Reads one JSON document and writes one.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const { default: ICAL } = await import(pathToFileURL(process.argv[2]));
const asked = JSON.parse(readFileSync(0, "utf8"));

function dates({ rule, starts_on }) {
  const found = [];
  const all = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromDateString(starts_on));
  for (let day = all.next(); day && day.toString() <= asked.to; day = all.next()) {
    if (day.toString() >= asked.from) found.push(day.toString());
  }
  return found;
}

// Some rules it looks through without end, and some it refuses: null says so.
const answers = asked.rules.map((one) => {
  if (one.days.length === 0) return null; // it would look for a first day without end
  try {
    return vm.runInNewContext("dates(one)", { dates, one }, { timeout: 500 });
  } catch {
    return null;
  }
});
process.stdout.write(JSON.stringify(answers));
