// The editor counts as one types, as editor.go does for the first look, and keeps a draft in this tab until it is saved.

const fill = (text, values) => text.replace(/\{\{\.(\w+)\}\}/g, (all, name) => values[name] ?? all);

// estimateTokens is console/editor.go's.
export function estimateTokens(text) {
  let quarters = 0;
  for (const character of text) {
    const r = character.codePointAt(0);
    if (r < 0x7f) quarters++;
    else if ((r >= 0x0e00 && r < 0x1100) || (r >= 0x1780 && r < 0x1800) || (r >= 0x2e80 && r < 0xfb00) || r >= 0xff00) quarters += 4;
    else quarters += 2;
  }
  return Math.ceil(quarters / 4);
}

for (const form of document.querySelectorAll("[data-editor]")) {
  const instructions = form.querySelector("[data-instructions]");
  const count = form.querySelector("[data-count]");
  const cache = form.querySelector("[data-cache]");
  const model = form.querySelector("[data-model]");
  const number = new Intl.NumberFormat(document.documentElement.lang);

  const show = () => {
    const text = instructions.value;
    const tokens = estimateTokens(text);
    count.textContent = fill(count.dataset.text, { characters: number.format([...text].length), tokens: number.format(tokens) });
    const minimum = Number(model.selectedOptions[0]?.dataset.minimum);
    if (!minimum) {
      cache.textContent = cache.dataset.none;
      return;
    }
    const declared = new Set([...form.querySelectorAll("[name=variable_name]")].map((input) => input.value.trim()));
    const first = [...text.matchAll(/\{\{([a-z][a-z0-9_]{0,31})\}\}/g)].find((match) => declared.has(match[1]));
    const constant = estimateTokens(first ? text.slice(0, first.index) : text);
    const key = constant < minimum ? "below" : "reached";
    cache.textContent = fill(cache.dataset[key], { tokens: number.format(constant), minimum: number.format(minimum) });
    if (first) cache.textContent += " " + fill(cache.dataset.variable, { rest: number.format(Math.max(0, tokens - constant)) });
  };

  const fields = () => [...form.elements].filter((field) => field.name && field.name !== "version");
  const state = () => JSON.stringify(fields().map((field) => (field.type === "checkbox" ? field.checked : field.value)));
  const key = "draft:" + location.pathname;
  const saved = state();
  const draft = sessionStorage.getItem(key);
  if (draft && draft !== saved && !document.querySelector(".flash")) {
    const notice = document.createElement("p");
    notice.className = "notice row";
    notice.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = form.dataset.draftRestore;
    button.addEventListener("click", () => {
      const values = JSON.parse(draft);
      fields().forEach((field, i) => {
        if (field.type === "checkbox") field.checked = values[i];
        else field.value = values[i] ?? field.value;
      });
      notice.remove();
      show();
    });
    notice.append(form.dataset.draftNotice + " ", button);
    form.before(notice);
  } else {
    sessionStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    show();
    sessionStorage.setItem(key, state());
  });
  show();
}
