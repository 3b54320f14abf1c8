// The editor counts as one types, as editor.go does for the first look, adds rows, and keeps a draft in this tab until it is saved.

const fill = (text, values) => text.replace(/\{\{\.(\w+)\}\}/g, (all, name) => values[name] ?? all);

// estimateTokens is console/editor.go's.
export function estimateTokens(text) {
  let quarters = 0;
  for (const character of text) {
    const r = character.codePointAt(0);
    if (r <= 0x7f) quarters++;
    else if ((r >= 0x0e00 && r < 0x1100) || (r >= 0x1780 && r < 0x1800) || (r >= 0x2e80 && r < 0xfb00) || r >= 0xff00) quarters += 4;
    else quarters += 2;
  }
  return Math.ceil(quarters / 4);
}

const placeholder = /\{\{([a-z][a-z0-9_]{0,31})\}\}/g;

const characters = (text) => [...text].length;

// composed is console/editor.go's; declared holds each variable's default, or undefined where a call must give it. What has more than most
// characters is undefined.
export function composed(text, declared, most) {
  const sizes = new Map([...declared].map(([name, value]) => [name, value === undefined ? undefined : characters(value)]));
  let size = characters(text);
  for (const [all, name] of text.matchAll(placeholder)) size += (sizes.get(name) ?? all.length) - all.length;
  if (size > most) return undefined;
  return text.replace(placeholder, (all, name) => declared.get(name) ?? all);
}

function addRow(rows) {
  if (rows.children.length >= Number(rows.dataset.most)) return;
  const row = rows.lastElementChild.cloneNode(true);
  for (const field of row.querySelectorAll("input, textarea")) {
    if (field.type === "checkbox") {
      field.checked = field.defaultChecked = false;
      field.value = rows.children.length;
    } else {
      field.value = field.defaultValue = "";
    }
  }
  rows.append(row);
  return row;
}

const filled = (field) => (field.type === "checkbox" ? field.checked : field.value !== "");

// A draft is what a form holds, by the fields' names, without empty rows. It belongs to an account and to the version that was edited.
function takeDraft(form) {
  const values = {};
  for (const field of form.elements) {
    const row = field.closest("[data-rows] > *");
    if (!field.name || (row && ![...row.querySelectorAll("input, textarea")].some(filled))) continue;
    (values[field.name] ??= []).push(field.type === "checkbox" ? field.checked : field.value);
  }
  return { account: form.dataset.account, values };
}

// content is what of a draft makes a version.
const content = ({ account, values }) => JSON.stringify({ ...values, account, version: [], note: [], once: [] });

function restoreDraft(form, draft) {
  for (const field of form.querySelectorAll("[data-rows] :is(input, textarea)")) {
    if (field.type === "checkbox") field.checked = false;
    else field.value = "";
  }
  for (const [name, values] of Object.entries(draft.values)) {
    const fields = () => [...form.elements].filter((field) => field.name === name);
    while (fields().length < values.length) {
      const rows = fields()[0]?.closest("[data-rows]");
      if (!rows || !addRow(rows)) break;
    }
    fields().forEach((field, i) => {
      if (field.type === "checkbox") field.checked = values[i] ?? false;
      else field.value = values[i] ?? "";
    });
  }
}

function keepDraft(form, shown) {
  const key = "draft:" + location.pathname;
  const draft = JSON.parse(sessionStorage.getItem(key) ?? "null");
  const created = "created" in form.dataset; // just now
  const saved = created || "saved" in form.dataset;
  if (created) sessionStorage.removeItem("draft:/console/assistants/new");
  if (!draft || saved || content(draft) === content(takeDraft(form)) || draft.account !== form.dataset.account) {
    sessionStorage.removeItem(key);
  } else {
    const notice = document.createElement("p");
    notice.className = "notice row";
    notice.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = form.dataset.draftRestore;
    button.addEventListener("click", () => {
      restoreDraft(form, draft);
      notice.remove();
      shown();
    });
    notice.append(form.dataset.draftNotice + " ", button);
    form.before(notice);
  }
  form.addEventListener("input", () => sessionStorage.setItem(key, JSON.stringify(takeDraft(form))));
}

for (const form of document.querySelectorAll("[data-editor]")) {
  const instructions = form.querySelector("[data-instructions]");
  const count = form.querySelector("[data-count]");
  const cache = form.querySelector("[data-cache]");
  const model = form.querySelector("[data-model]");
  const preview = form.querySelector("[data-composed]");
  const number = new Intl.NumberFormat(document.documentElement.lang);

  const declared = () => {
    const each = (name) => [...form.querySelectorAll(`[name=${name}]`)];
    const defaults = each("variable_default");
    const required = each("variable_required");
    return new Map(each("variable_name").map((field, i) => [field.value.trim(), required[i].checked ? undefined : defaults[i].value]));
  };

  const show = () => {
    const text = instructions.value;
    const tokens = estimateTokens(text);
    const variables = declared();
    preview.textContent = composed(text, variables, Number(preview.dataset.most)) ?? preview.dataset.long;
    count.textContent = fill(count.dataset.text, { characters: number.format(characters(text)), tokens: number.format(tokens) });
    const minimum = Number(model.selectedOptions[0]?.dataset.minimum);
    if (!minimum) {
      cache.textContent = cache.dataset.none;
      return;
    }
    const first = [...text.matchAll(placeholder)].find((match) => variables.has(match[1]));
    const constant = estimateTokens(first ? text.slice(0, first.index) : text);
    const key = constant < minimum ? "below" : "reached";
    cache.textContent = fill(cache.dataset[key], { tokens: number.format(constant), minimum: number.format(minimum) });
    if (first) cache.textContent += " " + fill(cache.dataset.variable, { rest: number.format(Math.max(0, tokens - constant)) });
  };

  for (const button of form.querySelectorAll("[data-add]")) {
    const rows = button.parentElement.querySelector("[data-rows]");
    button.hidden = false;
    button.addEventListener("click", () => addRow(rows)?.querySelector("input").focus());
  }
  keepDraft(form, show);
  form.addEventListener("input", show);
  show();
}
