// One conversation of the playground.

import { copyText } from "./copy.js";
import { render, Rendering } from "./markdown.js";
import { $, ask, button, fill, make, number, text } from "./page.js";
import { Picker } from "./picker.js";
import { settings } from "./settings.js";
import { generate } from "./stream.js";

const older = "…"; // the choice that loads older versions

// Side is a conversation with what it is held with. acts are what its buttons do, by number of a message or with the side itself, and
// changed, which is told that the next call is another one.
export class Side {
  constructor(element, acts) {
    this.element = element;
    this.acts = acts;
    this.log = $("log", element);
    this.versions = $("version", element);
    this.turns = []; // {role, content, images, number, element}
    this.former = undefined; // the turn that was taken back for the answer that comes
    const input = element.querySelector("input[name=target]");
    this.picker = new Picker(input, (id) => this.choose(id));
    this.versions.addEventListener("change", () => this.pinned());
  }

  get assistant() {
    return this.id.startsWith("asst_");
  }

  // target is what a call names: with the version that is pinned.
  get target() {
    return this.assistant && this.pin ? `${this.id}@${this.pin}` : this.id;
  }

  // choose takes an assistant or a model, by its id, with @ and a version or without, or its slug.
  choose(target) {
    const at = target.startsWith("asst_") ? target.indexOf("@") : -1;
    this.id = at < 0 ? target : target.slice(0, at);
    this.pin = at < 0 ? "" : target.slice(at + 1);
    this.name = this.id;
    this.blind = false;
    this.known = null;
    return this.describe();
  }

  async pinned() {
    if (this.versions.value !== older) {
      this.pin = this.versions.value;
      return this.describe();
    }
    const { id, known } = this;
    this.versions.value = this.pin;
    const next = await ask("versions", { id, cursor: known.more });
    if (!next || this.known !== known) return;
    known.versions = [...known.versions, ...next.versions];
    known.more = next.more;
    this.offerVersions();
  }

  offerVersions() {
    const versions = this.known?.versions ?? [];
    const option = (value, label) => {
      const o = make("option", "", label);
      o.value = value;
      return o;
    };
    const options = [option("", text.textNewest), ...versions.map((v) => option(String(v.version), v.note ? `${v.version} — ${v.note}` : String(v.version)))];
    if (this.pin && !versions.some((v) => String(v.version) === this.pin)) options.push(option(this.pin, this.pin));
    if (this.known?.more) options.push(option(older, text.textOlder));
    this.versions.replaceChildren(...options);
    this.versions.value = this.pin;
    $("versions", this.element).hidden = !this.assistant;
  }

  // describe shows what the target is called, its versions, and a field for each of its variables. What was filled in stays.
  async describe() {
    const { target } = this;
    const known = await ask("target", { id: target });
    if (this.target !== target) return;
    this.miss(known === undefined);
    this.known = known && { ...known, versions: known.versions ?? [] };
    this.name = known?.name || this.id;
    this.blind = known?.vision === false;
    this.picker.show(this.name);
    if (known !== undefined) $("about", this.element).textContent = [this.id, ...(known && this.assistant ? [known.model, known.author] : [])].filter(Boolean).join(" · ");
    this.offerVersions();
    const before = this.variables();
    const fields = $("variables", this.element);
    fields.replaceChildren(
      ...(known?.variables ?? []).map((variable) => {
        const input = make("input");
        input.dataset.variable = variable.name;
        input.value = before[variable.name] ?? "";
        input.placeholder = variable.default ?? "";
        input.required = variable.required ?? false;
        input.dir = "auto";
        return make("label", "", variable.description ? `${variable.name} — ${variable.description}` : variable.name, " ", input);
      }),
    );
    fields.hidden = fields.childElementCount === 0;
    this.acts.changed();
  }

  // miss says at the field that what it names is not there, or nothing.
  miss(yes) {
    const about = $("about", this.element);
    about.className = yes ? "wrong" : "hint";
    if (yes) about.textContent = $("said").textContent = text.textMissing;
    this.picker.input.setAttribute("aria-invalid", String(yes));
    this.picker.input.setCustomValidity(yes ? text.textMissing : "");
  }

  // there reports whether somebody would answer, or says at the field that nobody would.
  there() {
    return this.picker.input.reportValidity();
  }

  variables() {
    const filled = [...this.element.querySelectorAll("[data-variable]")].filter((input) => input.value !== "");
    return Object.fromEntries(filled.map((input) => [input.dataset.variable, input.value]));
  }

  // request is the generate call for the conversation as it stands.
  request(turns = this.turns) {
    const r = this.assistant ? { assistant_id: this.target } : { model: this.target };
    r.messages = turns.map(({ role, content, images = [] }) => ({
      role,
      content: images.length === 0 ? content : [{ type: "text", text: content }, ...images.map((url) => ({ type: "image_url", image_url: { url } }))],
    }));
    const variables = this.variables();
    if (Object.keys(variables).length > 0) r.variables = variables;
    return { ...r, ...settings() };
  }

  // say adds a message of the person's.
  say(content, images, number) {
    const body = make("p", "plain", content);
    body.dir = "auto";
    const element = make("article", "turn you", make("h2", "", text.textYou), body);
    for (const url of images) {
      const image = make("img");
      image.src = url;
      image.alt = "";
      element.append(image);
    }
    element.append(make("div", "row", button(text.textEdit, () => this.acts.edit(number)), button(text.textDelete, () => this.acts.remove(number))));
    this.turns.push({ role: "user", content, images, number, element });
    this.log.append(element);
  }

  // repeat adds an answer that was given to the same messages.
  repeat(turn) {
    const body = make("div", "markdown");
    render(body, turn.content);
    const element = make("article", "turn", make("h2", "", make("bdi", "", turn.name)), body);
    this.turns.push({ ...turn, element });
    this.log.append(element);
    this.allow(element, turn.content);
  }

  // allow gives an answer its buttons.
  allow(element, content) {
    const again = button(text.textRetry, () => this.acts.retry(this));
    again.dataset.retry = ""; // shown where it is the last
    const copy = button(text.textCopy, () => copyText(content, copy, text));
    element.append(make("div", "row", again, copy));
  }

  find(number) {
    return this.turns.findIndex((turn) => turn.number === number);
  }

  // cut removes a message of the person's with its answer, and with all that follows or not.
  cut(number, all) {
    const from = this.find(number);
    if (from < 0) return;
    const next = this.turns.findIndex((turn, i) => i > from && turn.role === "user");
    const to = all || next < 0 ? this.turns.length : next;
    const end = this.turns[to]?.element;
    let { element } = this.turns[from];
    while (element && element !== end) {
      const following = element.nextElementSibling; // an answer that failed is no turn, but there
      element.remove();
      element = following;
    }
    this.turns.splice(from, to - from);
  }

  // takeBack removes the last answer and what failed after it, and reports whether there is something to answer.
  takeBack() {
    this.former = this.turns.at(-1)?.role === "assistant" ? this.turns.pop() : undefined;
    while (this.log.lastElementChild?.matches(":not(.you)")) this.log.lastElementChild.remove();
    return this.turns.at(-1)?.role === "user";
  }

  clear() {
    this.turns = [];
    this.log.replaceChildren();
  }

  // answer streams what comes for the conversation, and returns what there is to hear of it.
  async answer(signal) {
    const body = make("div", "markdown");
    const facts = make("p", "hint");
    const name = make("bdi", "", this.name);
    const element = make("article", "turn", make("h2", "", name), body, facts);
    element.setAttribute("aria-busy", "true");
    const request = this.request();
    const { former } = this;
    this.former = undefined;
    this.log.append(element);
    this.follow(true);
    const turn = { role: "assistant", content: "", name: this.name, element };
    const shown = new Rendering(body, (draw) => {
      const at = this.atEnd();
      draw();
      this.follow(at);
    });
    const begun = performance.now();
    let first, end, stopped;
    try {
      for await (const event of generate(request, signal)) {
        if (event.type === "content_delta") {
          first ??= performance.now() - begun;
          turn.content += event.delta;
          shown.grow(turn.content);
        } else if (event.type === "generation_start" && event.assistant_version) {
          turn.name += ` @${event.assistant_version}`;
          name.textContent = turn.name;
        } else if (event.type === "generation_end") {
          end = event;
        }
      }
    } catch (error) {
      stopped = error.name === "AbortError" && (turn.content === "" ? text.textStoppedBefore : text.textStopped);
      if (stopped) element.append(make("p", "notice", stopped));
      else this.failed(element, error);
    }
    element.removeAttribute("aria-busy");
    const at = this.atEnd();
    shown.finish(turn.content);
    if (end) facts.textContent = this.facts(end, first, performance.now() - begun);
    for (const warning of end?.warnings ?? []) element.append(make("p", "hint", warning.message));
    if (!element.isConnected) return ""; // the conversation began again meanwhile
    if (turn.content !== "") {
      this.turns.push(turn);
    } else if (former) { // it is paid for, and nothing has come in its place
      this.turns.push(former);
      element.before(former.element);
    }
    this.allow(element, turn.content);
    this.follow(at);
    return [stopped, turn.content].filter(Boolean).join(" ");
  }

  facts(end, first, total) {
    const usage = end.usage ?? {};
    const count = (n) => number.format(n ?? 0);
    const parts = [fill(text.textTokens, { prompt: count(usage.prompt_tokens), completion: count(usage.completion_tokens) })];
    const cache = {
      hit: text.textCacheHit,
      written: text.textCacheWritten,
      miss: text.textCacheMiss,
      below_minimum: text.textCacheBelowMinimum,
      unsupported: text.textCacheUnsupported,
    }[usage.cache?.status];
    if (cache) parts.push(fill(cache, { cached: count(usage.cached_tokens), written: count(usage.cache_write_tokens), minimum: count(usage.cache.minimum) }));
    const reason = {
      first: text.textCacheFirst,
      prefix_below_minimum: text.textCachePrefixBelowMinimum,
      expired: text.textCacheExpired,
      prefix_changed: text.textCachePrefixChanged,
      other_upstream: text.textCacheOtherUpstream,
      unknown: text.textCacheUnknown,
    }[usage.cache?.reason];
    if (reason) parts.push(reason);
    parts.push(fill(text.textSpent, { spent: count(end.tokens_used) }));
    if (end.balance_remaining != null) parts.push(fill(text.textLeft, { left: count(end.balance_remaining) }));
    parts.push(fill(text.textTime, { first: count(Math.round(first ?? total)), total: count(Math.round(total)) }));
    if (end.finish_reason !== "stop") parts.push(end.finish_reason);
    return parts.join(" · ");
  }

  failed(element, error) {
    let message = error.message;
    if (error.code === "not_authenticated") message = text.textEnded;
    else if (!error.code) message = text.textBroken;
    if (!message) return;
    const shown = make("p", "wrong", message);
    shown.setAttribute("role", "alert");
    if (error.code === "not_authenticated") {
      const link = make("a", "", text.textSignIn);
      link.href = "/console/sign-in";
      link.target = "_blank";
      shown.append(" ", link);
    }
    element.append(shown);
    if (error.retryAfter) element.append(make("p", "hint", fill(text.textWait, { seconds: number.format(error.retryAfter) })));
  }

  atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
  }

  follow(yes) {
    if (yes) this.log.scrollTop = this.log.scrollHeight;
  }
}
