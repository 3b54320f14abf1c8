// What the playground's scripts share: its form, its texts, and how elements are made.

export const form = document.querySelector("[data-playground]");
export const text = form.dataset;
export const $ = (name, within = form) => within.querySelector(`[data-${name}]`);
export const fill = (pattern, values) => pattern.replace(/\{\{\.(\w+)\}\}/g, (all, name) => values[name] ?? all);
export const number = new Intl.NumberFormat(document.documentElement.lang);

// make is a new element with a class and children.
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(label, act) {
  const b = make("button", "quiet", label);
  b.type = "button";
  b.addEventListener("click", act);
  return b;
}

// ask reads what the server tells scripts. undefined is what it does not have, null that it told nothing.
export async function ask(path, query, signal) {
  const answer = await fetch(`/console/playground/${path}?${new URLSearchParams(query)}`, { signal, headers: { Accept: "application/json" } }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return { ok: false };
  });
  if (answer.status === 404) return undefined;
  return answer.ok ? answer.json() : null;
}
