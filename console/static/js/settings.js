// The settings of the next call, which all conversations of the page share.

import { $, form, make, text } from "./page.js";

// read is what was typed as a call has it; undefined is what no call takes.
const read = {
  system: (typed) => typed,
  temperature(typed) {
    const number = Number(typed.replace(",", "."));
    return number >= 0 && number <= 2 ? number : undefined;
  },
  max_tokens: (typed) => (/^0*[1-9]\d*$/.test(typed) ? Number(typed) : undefined),
};
const wrong = { temperature: text.textTemperature, max_tokens: text.textMaxTokens };

const fields = [...form.querySelectorAll("[data-setting]")].map((element) => {
  const name = element.dataset.setting;
  const typed = () => element.value.trim();
  return { element, name, typed, value: () => read[name](typed()) };
});

// settings are those that were given, without what is no value.
export function settings() {
  return Object.fromEntries(fields.filter((f) => f.typed() !== "" && f.value() !== undefined).map((f) => [f.name, f.value()]));
}

// refuseSettings says beside each field what is wrong with it, and reports whether something is.
export function refuseSettings() {
  const refused = fields.filter((f) => f.typed() !== "" && f.value() === undefined);
  for (const { element } of fields) accept(element);
  if (refused.length === 0) return false;
  for (const { element, name } of refused) {
    const message = make("p", "wrong", wrong[name]);
    message.id = `${name}-error`;
    element.setAttribute("aria-invalid", "true");
    element.setAttribute("aria-describedby", message.id);
    element.closest("label").after(message);
  }
  $("settings").open = true;
  refused[0].element.focus();
  return true;
}

function accept(element) {
  document.getElementById(element.getAttribute("aria-describedby"))?.remove();
  element.removeAttribute("aria-invalid");
  element.removeAttribute("aria-describedby");
}

for (const { element } of fields) element.addEventListener("input", () => accept(element));
