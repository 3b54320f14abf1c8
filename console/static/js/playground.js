// The playground: one conversation, or two beside each other that are asked the same. All of it lives in this page's memory.

import { code } from "./code.js";
import { render, Rendering } from "./markdown.js";
import { generate } from "./stream.js";

const form = document.querySelector("[data-playground]");
const text = form.dataset;
const $ = (name, within = form) => within.querySelector(`[data-${name}]`);
const fill = (pattern, values) => pattern.replace(/\{\{\.(\w+)\}\}/g, (all, name) => values[name] ?? all);
const number = new Intl.NumberFormat(document.documentElement.lang);
const prompt = form.elements.prompt;
const maxImage = 10 << 20;

let images = []; // data: URLs that go with the next message
let running; // AbortController of the answers that are coming
let asked = 0; // numbers the messages: both sides have the same ones

// make is a new element with a class, a text and children.
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function button(label, act) {
  const b = make("button", "quiet", label);
  b.type = "button";
  b.addEventListener("click", act);
  return b;
}

// Side is one conversation.
class Side {
  constructor(element) {
    this.element = element;
    this.log = $("log", element);
    this.target = element.querySelector("input[name=target]");
    this.turns = []; // {role, content, images, element}
    this.target.addEventListener("change", () => this.describe());
  }

  // describe shows what the target is called, and a field for each of its variables.
  async describe() {
    const id = this.target.value.trim();
    const fields = $("variables", this.element);
    fields.replaceChildren();
    fields.hidden = true;
    this.name = id;
    if (!id.startsWith("asst_")) return showCode();
    const answer = await fetch("/console/playground/target?id=" + encodeURIComponent(id), { headers: { Accept: "application/json" } });
    if (!answer.ok || this.target.value.trim() !== id) return showCode();
    const known = await answer.json();
    this.name = known.name || id;
    $("about", this.element).textContent = known.name ?? "";
    for (const variable of known.variables ?? []) {
      const input = make("input");
      input.dataset.variable = variable.name;
      input.placeholder = variable.default ?? "";
      input.required = variable.required ?? false;
      input.dir = "auto";
      input.addEventListener("input", showCode);
      fields.append(make("label", "", variable.description ? `${variable.name} — ${variable.description}` : variable.name, " ", input));
      fields.hidden = false;
    }
    showCode();
  }

  // request is the generate call for the conversation as it stands.
  request(turns = this.turns) {
    const id = this.target.value.trim();
    const r = id.startsWith("asst_") ? { assistant_id: id } : { model: id };
    r.messages = turns.map(({ role, content, images: pictures = [] }) => ({
      role,
      content: pictures.length === 0 ? content : [{ type: "text", text: content }, ...pictures.map((url) => ({ type: "image_url", image_url: { url } }))],
    }));
    const variables = [...this.element.querySelectorAll("[data-variable]")].filter((input) => input.value !== "");
    if (variables.length > 0) r.variables = Object.fromEntries(variables.map((input) => [input.dataset.variable, input.value]));
    for (const setting of form.querySelectorAll("[data-setting]")) {
      const value = setting.value.trim();
      if (value === "") continue;
      r[setting.dataset.setting] = setting.dataset.setting === "system" ? value : Number(value.replace(",", "."));
    }
    return r;
  }

  say(content, pictures, number) {
    const turn = { role: "user", content, images: pictures, number };
    const body = make("p", "plain", content);
    body.dir = "auto";
    turn.element = make("article", "turn you", make("h2", "", text.textYou), body);
    for (const url of pictures) {
      const image = make("img");
      image.src = url;
      image.alt = "";
      turn.element.append(image);
    }
    turn.element.append(make("div", "row", button(text.textEdit, () => edit(number))));
    this.turns.push(turn);
    this.log.append(turn.element);
  }

  // cut removes a turn, and whatever stands behind it.
  cut(index) {
    if (index < 0 || index >= this.turns.length) return;
    let element = this.turns[index].element;
    this.turns.length = index;
    while (element) {
      const next = element.nextElementSibling;
      element.remove();
      element = next;
    }
  }

  // answer streams what comes for the conversation.
  async answer(signal) {
    const body = make("div", "markdown");
    const facts = make("p", "hint");
    const element = make("article", "turn", make("h2", "", make("bdi", "", this.name)), body, facts);
    element.setAttribute("aria-busy", "true");
    const request = this.request();
    this.log.append(element);
    this.follow(true);
    const turn = { role: "assistant", content: "", element };
    const shown = new Rendering(body);
    const begun = performance.now();
    let first, frame, end;
    const draw = () => {
      frame = undefined;
      const at = this.atEnd();
      shown.show(turn.content);
      if (at) this.follow(true);
    };
    try {
      for await (const event of generate(request, signal)) {
        if (event.type === "content_delta") {
          first ??= performance.now() - begun;
          turn.content += event.delta;
          frame ??= requestAnimationFrame(draw);
        } else if (event.type === "generation_end") {
          end = event;
        }
      }
    } catch (error) {
      this.failed(element, error, turn.content !== "");
    }
    if (frame) cancelAnimationFrame(frame);
    element.removeAttribute("aria-busy");
    shown.finish(turn.content);
    if (end) facts.textContent = this.facts(end, first, performance.now() - begun);
    for (const warning of end?.warnings ?? []) element.append(make("p", "hint", warning.message));
    if (!element.isConnected) return ""; // the conversation began again meanwhile
    if (turn.content !== "") this.turns.push(turn);
    this.last?.querySelector("[data-retry]")?.remove();
    const again = button(text.textRetry, () => retry(this));
    again.dataset.retry = "";
    const copy = button(text.textCopy, () => copyText(turn.content, copy));
    element.append(make("div", "row", again, copy));
    this.last = element;
    this.follow(false);
    return turn.content;
  }

  facts(end, first, total) {
    const usage = end.usage ?? {};
    const parts = [fill(text.textTokens, { prompt: number.format(usage.prompt_tokens ?? 0), completion: number.format(usage.completion_tokens ?? 0) })];
    if (usage.cached_tokens) parts.push(fill(text.textCached, { cached: number.format(usage.cached_tokens) }));
    parts.push(fill(text.textSpent, { spent: number.format(end.tokens_used) }));
    parts.push(fill(text.textTime, { first: number.format(Math.round(first ?? total)), total: number.format(Math.round(total)) }));
    if (end.finish_reason !== "stop") parts.push(end.finish_reason);
    return parts.join(" · ");
  }

  failed(element, error, begun) {
    const stopped = error.name === "AbortError";
    let message = error.message;
    if (stopped) message = text.textStopped;
    else if (error.code === "not_authenticated") message = text.textEnded;
    else if (!error.code) message = text.textBroken;
    if (stopped && !begun) message = "";
    if (!message) return;
    const shown = make("p", stopped ? "notice" : "wrong", message);
    if (!stopped) shown.setAttribute("role", "alert");
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

  follow(always) {
    if (always || this.atEnd()) this.log.scrollTop = this.log.scrollHeight;
  }
}

const sides = [new Side($("side"))];

// copyText copies, or says what to do where a page may not: without TLS on another host.
async function copyText(content, from) {
  const before = from.textContent;
  try {
    await navigator.clipboard.writeText(content);
    from.textContent = text.textCopied;
  } catch {
    from.textContent = text.textNotCopied;
  }
  setTimeout(() => (from.textContent = before), 2000);
}

function busy(yes) {
  $("stop").hidden = !yes;
  $("send").disabled = yes;
}

async function run(which) {
  running = new AbortController();
  busy(true);
  const answers = await Promise.all(which.map((side) => side.answer(running.signal)));
  running = undefined;
  busy(false);
  $("said").textContent = answers[0].slice(0, 500);
  showCode();
  prompt.focus();
}

function send() {
  const content = prompt.value.trim();
  if (content === "" || running || !form.reportValidity()) return;
  const pictures = images;
  images = [];
  showImages();
  asked++;
  for (const side of sides) side.say(content, pictures, asked);
  prompt.value = "";
  run(sides);
}

function retry(side) {
  if (running) return;
  side.last?.remove();
  if (side.turns.at(-1)?.role === "assistant") side.turns.pop();
  if (side.turns.at(-1)?.role === "user") run([side]);
}

function edit(number) {
  if (running) return;
  const at = (side) => side.turns.findIndex((turn) => turn.number === number);
  const turn = sides.map((side) => side.turns[at(side)]).find(Boolean);
  if (!turn || (sides.some((side) => side.turns[at(side)]?.element.nextElementSibling) && !confirm(text.textCut))) return;
  prompt.value = turn.content;
  images = turn.images ?? [];
  showImages();
  for (const side of sides) side.cut(at(side));
  showCode();
  prompt.focus();
}

function clear() {
  running?.abort();
  for (const side of sides) {
    side.turns = [];
    side.log.replaceChildren();
  }
  showCode();
  prompt.focus();
}

function compare() {
  if (running) return;
  const toggle = document.querySelector("[data-compare]");
  if (sides.length === 2) {
    sides.pop().element.remove();
    toggle.setAttribute("aria-pressed", "false");
  } else {
    const copy = sides[0].element.cloneNode(true);
    $("log", copy).replaceChildren();
    for (const id of ["target", "target-hint"]) {
      const element = copy.querySelector("#" + id);
      element.id += "-2";
    }
    copy.querySelector("label").htmlFor = "target-2";
    copy.querySelector("input").setAttribute("aria-describedby", "target-hint-2");
    copy.querySelector("input").value = sides[0].target.value;
    $("sides").append(copy);
    const side = new Side(copy);
    sides.push(side);
    side.describe();
    for (const turn of sides[0].turns) {
      if (turn.role === "user") side.say(turn.content, turn.images ?? [], turn.number);
      else {
        const body = make("div", "markdown");
        render(body, turn.content);
        const element = make("article", "turn", body);
        side.turns.push({ ...turn, element });
        side.log.append(element);
      }
    }
    toggle.setAttribute("aria-pressed", "true");
    side.target.focus();
  }
  showCode();
}

function showImages() {
  const list = $("images");
  list.hidden = images.length === 0;
  list.replaceChildren(
    ...images.map((url, i) => {
      const image = make("img");
      image.src = url;
      image.alt = "";
      const remove = button("×", () => {
        images = images.filter((_, j) => j !== i);
        showImages();
      });
      remove.setAttribute("aria-label", text.textRemove);
      return make("span", "picture", image, remove);
    }),
  );
}

async function add(files) {
  for (const file of files) {
    if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type)) continue;
    if (file.size > maxImage) {
      alert(text.textLarge);
      continue;
    }
    const url = await new Promise((done) => {
      const reader = new FileReader();
      reader.addEventListener("load", () => done(reader.result));
      reader.readAsDataURL(file);
    });
    images = [...images, url];
  }
  showImages();
}

let language = "curl";

// showCode shows the call that comes next: the conversation, and what stands in the field; or the one that was made.
function showCode() {
  if (!$("code").open) return;
  const turns = [...sides[0].turns];
  const next = prompt.value.trim();
  if (next !== "") turns.push({ role: "user", content: next, images });
  while (turns.at(-1)?.role === "assistant") turns.pop();
  if (turns.length === 0) turns.push({ role: "user", content: "Hello" });
  const body = sides[0].request(turns);
  document.getElementById("code").textContent = code[language](location.origin + "/api/v2/generate", body);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return; // 229: a word is being composed
  event.preventDefault();
  send();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) running?.abort();
});
prompt.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length === 0) return;
  event.preventDefault();
  add(files);
});
form.addEventListener("dragover", (event) => event.preventDefault());
form.addEventListener("drop", (event) => {
  event.preventDefault();
  add([...event.dataTransfer.files]);
});
$("files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = "";
});
$("stop").addEventListener("click", () => running?.abort());
document.querySelector("[data-compare]").addEventListener("click", compare);
document.querySelector("[data-clear]").addEventListener("click", clear);
for (const choice of form.querySelectorAll("[data-language]")) {
  choice.addEventListener("click", () => {
    language = choice.dataset.language;
    for (const other of form.querySelectorAll("[data-language]")) other.setAttribute("aria-pressed", String(other === choice));
    showCode();
  });
}
form.addEventListener("input", showCode);
$("code").addEventListener("toggle", showCode);
addEventListener("beforeunload", (event) => {
  if (sides.some((side) => side.turns.length > 0)) event.preventDefault();
});

for (const name of ["picker", "settings", "keys", "code"]) $(name).hidden = false;
document.querySelector("[data-tools]").hidden = false;
for (const side of sides) {
  side.log.replaceChildren();
  side.describe();
}
