// A field that finds assistants and models by name as one types: a combobox with a list below it, which keys and screen readers know
// (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).

import { $, ask, fill, form, make, number, text } from "./page.js";

const pause = 150; // ms without a key
const models = [...form.ownerDocument.querySelectorAll("#targets [data-model]")].map((o) => ({ id: o.value, name: o.textContent }));

// Picker gives the field a list. picked is told the id or slug that was chosen.
export class Picker {
  constructor(input, picked) {
    this.input = input;
    this.picked = picked;
    this.shown = []; // what the list offers
    this.at = -1; // which of it is about to be chosen
    this.list = make("ul", "choices");
    this.list.id = input.id + "-choices";
    this.list.role = "listbox";
    this.list.hidden = true;
    this.list.setAttribute("aria-label", input.labels[0].textContent);
    input.removeAttribute("list");
    input.role = "combobox";
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.setAttribute("aria-expanded", "false");
    input.after(this.list);

    input.addEventListener("input", (event) => {
      if (!event.isComposing) this.later(); // a word of Chinese or Japanese is not finished yet
    });
    input.addEventListener("compositionend", () => this.later());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("click", () => this.list.hidden && this.find(""));
    input.addEventListener("blur", () => this.take(this.input.value));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.shown[Number(option.dataset.at)]);
    });
  }

  // show names what is chosen.
  show(name) {
    this.name = name;
    this.input.value = name;
  }

  later() {
    this.mark(-1); // what was found is not what is looked for now
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(this.input.value.trim()), pause);
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (open) this.move(event.key === "ArrowDown" ? 1 : -1);
      else this.find("");
    } else if (event.key === "Enter") {
      if (open && this.at >= 0) this.choose(this.shown[this.at]);
      else this.take(this.input.value, true);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation(); // it stops no answer
      this.show(this.name);
      this.close();
    } else return;
    event.preventDefault();
  }

  async find(query) {
    this.running?.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const found = await ask("search", { q: query }, signal).catch(() => null);
    if (signal.aborted || document.activeElement !== this.input) return;
    const items = found?.items ?? [];
    const folded = query.toLowerCase();
    this.offer([
      [text.textOwn, items.filter((i) => !i.author)],
      [text.textModels, models.filter((m) => `${m.id}\n${m.name}`.toLowerCase().includes(folded))],
      [text.textMarket, items.filter((i) => i.author)],
    ]);
  }

  offer(groups) {
    this.shown = [];
    this.list.replaceChildren();
    for (const [label, items] of groups) {
      if (items.length === 0) continue;
      const group = make("ul", "", ...items.map((item) => this.option(item)));
      group.role = "group";
      group.setAttribute("aria-label", label);
      const heading = make("li", "muted small", label);
      heading.role = "presentation";
      group.prepend(heading);
      const place = make("li", "", group);
      place.role = "presentation";
      this.list.append(place);
    }
    this.mark(-1);
    this.list.hidden = this.shown.length === 0;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    $("said").textContent = fill(text.textFound, { count: number.format(this.shown.length) });
  }

  option(item) {
    const option = make("li", "", make("bdi", "", item.name));
    if (item.author) option.append(" ", make("bdi", "muted small", item.author));
    option.role = "option";
    option.id = `${this.list.id}-${this.shown.length}`;
    option.dataset.at = this.shown.length;
    option.setAttribute("aria-selected", "false");
    this.shown.push(item);
    return option;
  }

  move(by) {
    const n = this.shown.length;
    this.mark(this.at < 0 && by < 0 ? n - 1 : (this.at + by + n) % n);
  }

  // mark makes an option the one that Enter chooses; -1 is none.
  mark(at) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.at = at;
    const option = this.list.querySelector(`[data-at="${at}"]`);
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.mark(-1);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }

  choose(item) {
    this.close();
    this.show(item.name);
    this.picked(item.id);
  }

  // take takes what was typed: an id, a slug or a name; or, if that is asked for, what is found first.
  async take(typed, first) {
    this.close();
    const value = typed.trim();
    if (value === "" || value === this.name) return this.show(this.name);
    const same = (i) => i.id === value || i.name.toLowerCase() === value.toLowerCase();
    let item = [...models, ...this.shown].find(same);
    if (!item && !value.startsWith("asst_")) {
      const items = (await ask("search", { q: value }))?.items ?? [];
      if (this.input.value !== typed) return; // something else by now
      item = items.find(same) ?? (first ? (items[0] ?? models.find((m) => m.id.includes(value.toLowerCase()))) : undefined);
      if (!item && !first) return this.show(this.name); // left half typed
    }
    this.choose(item ?? { id: value, name: value });
  }
}
