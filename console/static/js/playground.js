// The playground: one conversation, or two beside each other that are asked the same. All of it lives in this page's memory.

import { code } from "./code.js";
import { $, button, fill, form, make, number, text } from "./page.js";
import { refuseSettings } from "./settings.js";
import { Side } from "./side.js";
import { encoded } from "./stream.js";

const prompt = form.elements.prompt;
const maxImage = 10 << 20;
const most = Number(form.dataset.most); // bytes of a call
const kinds = ["image/png", "image/jpeg", "image/webp", "image/gif"];

let images = []; // data: URLs that go with the next message
let running; // AbortController of the answers that are coming
let asked = 0; // numbers the messages: both sides have the same ones

const acts = { edit, remove, retry, changed: showCode };
const sides = [new Side($("side"), acts)];

function busy(yes) {
  $("stop").hidden = !yes;
  $("send").disabled = yes;
}

async function run(which) {
  running = new AbortController();
  busy(true);
  const answers = await Promise.all(which.map((side) => side.answer(running.signal)));
  running = undefined;
  const free = [prompt, $("stop"), $("send"), document.body].includes(document.activeElement); // else somebody writes elsewhere
  busy(false);
  $("said").textContent = answers[0].slice(0, 500);
  showCode();
  if (free) prompt.focus();
}

function send() {
  const content = prompt.value.trim();
  if (content === "" || running || refuseSettings() || !form.reportValidity()) return;
  if (refuse(refusal(content, images))) return;
  const pictures = images;
  images = [];
  showImages();
  asked++;
  for (const side of sides) side.say(content, pictures, asked);
  prompt.value = "";
  run(sides);
}

function retry(side) {
  if (!running && !refuseSettings() && side.there() && side.takeBack()) run([side]);
}

function edit(number) {
  if (running) return;
  const turn = sides.map((side) => side.turns[side.find(number)]).find(Boolean);
  const cut = sides.some((side) => side.turns[side.find(number)]?.element.nextElementSibling);
  const draft = prompt.value.trim() !== "" || images.length > 0;
  if (!turn || ((cut || draft) && !confirm(draft ? text.textCutDraft : text.textCut))) return;
  prompt.value = turn.content;
  images = turn.images;
  showImages();
  for (const side of sides) side.cut(number, true);
  showCode();
  prompt.focus();
}

function remove(number) {
  if (running) return;
  for (const side of sides) side.cut(number, false);
  showCode();
  prompt.focus();
}

const begun = () => sides.some((side) => side.turns.length > 0);

function clear() {
  if (begun() && !confirm(text.textClearAll)) return;
  running?.abort();
  for (const side of sides) side.clear();
  showCode();
  prompt.focus();
}

// compare opens a second conversation, with the version before where there is one, or closes it.
function compare() {
  if (running) return;
  const toggle = document.querySelector("[data-compare]");
  if (sides.length === 2) {
    sides.pop().element.remove();
    toggle.setAttribute("aria-pressed", "false");
    $("code-sides").hidden = true;
    $("code-side").value = "0";
  } else {
    const [first] = sides;
    const copy = first.element.cloneNode(true);
    copy.querySelector("[role=listbox]").remove();
    $("log", copy).replaceChildren();
    for (const element of copy.querySelectorAll("[id]")) element.id += "-2";
    for (const label of copy.querySelectorAll("[for]")) label.htmlFor += "-2";
    for (const named of [copy, $("log", copy)]) named.setAttribute("aria-label", named.getAttribute("aria-label") + " 2");
    const input = copy.querySelector("input[name=target]");
    input.setAttribute("aria-describedby", input.getAttribute("aria-describedby") + "-2");
    $("sides").append(copy);
    const side = new Side(copy, acts);
    sides.push(side);
    for (const turn of first.turns) {
      if (turn.role === "user") side.say(turn.content, turn.images, turn.number);
      else side.repeat(turn);
    }
    const versions = (first.known?.versions ?? []).map((v) => String(v.version));
    const before = versions[(first.pin ? versions.indexOf(first.pin) : 0) + 1];
    side.choose(before ? `${first.id}@${before}` : first.target);
    toggle.setAttribute("aria-pressed", "true");
    $("code-sides").hidden = false;
    (before ? side.versions : side.picker.input).focus();
  }
  showCode();
}

// refuse says what is wrong with the next message, and reports whether something is.
function refuse(message) {
  $("refused").textContent = message;
  $("refused").hidden = message === "";
  return message !== "";
}

const megabytes = (bytes) => number.format(Math.ceil((bytes / (1 << 20)) * 10) / 10);

// refusal is why a message with images cannot be sent, or empty. The messages before it are sent again with it.
function refusal(content, pictures) {
  const blind = pictures.length > 0 && sides.find((side) => side.blind);
  if (blind) return fill(text.textBlind, { name: blind.name });
  const next = { role: "user", content, images: pictures };
  const size = Math.max(...sides.map((side) => new Blob([encoded(side.request([...side.turns, next]))]).size));
  return size > most ? fill(text.textTooMuch, { size: megabytes(size), most: megabytes(most) }) : "";
}

function showImages() {
  const list = $("images");
  list.hidden = images.length === 0;
  list.replaceChildren(
    ...images.map((url, i) => {
      const image = make("img");
      image.src = url;
      image.alt = "";
      const drop = button("×", () => {
        images = images.filter((_, j) => j !== i);
        refuse("");
        showImages();
        showCode();
      });
      drop.setAttribute("aria-label", text.textRemove);
      return make("span", "picture", image, drop);
    }),
  );
}

const read = (file) =>
  new Promise((done) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.readAsDataURL(file);
  });

// listed reports whether a text is only what file managers lay beside files: their names or paths.
const listed = (words, files) => words.split(/[\r\n]+/).every((line) => files.some(({ name }) => line === name || line.endsWith("/" + name)));

async function add(files) {
  const wrong = new Set();
  const strange = files.filter((file) => !kinds.includes(file.type));
  if (strange.length > 0) wrong.add(fill(text.textNoImage, { name: strange.map((file) => file.name).join(", ") }));
  for (const file of files) {
    if (strange.includes(file)) continue;
    const url = file.size > maxImage ? "" : await read(file);
    const message = url === "" ? text.textTooLarge : refusal(prompt.value, [...images, url]);
    if (message) wrong.add(message);
    else images = [...images, url];
  }
  refuse([...wrong].join(" "));
  showImages();
  showCode();
}

let language = "curl";

// showCode shows the call that comes next: the conversation, and what stands in the field; or the one that was made.
function showCode() {
  if (!$("code").open) return;
  const side = sides[Number($("code-side").value)];
  const turns = [...side.turns];
  const next = prompt.value.trim();
  if (next !== "") turns.push({ role: "user", content: next, images });
  while (turns.at(-1)?.role === "assistant") turns.pop();
  if (turns.length === 0) turns.push({ role: "user", content: "Hello" });
  const body = side.request(turns);
  if ($("code-stream").checked) body.stream = true;
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
  const words = event.clipboardData.getData("text/plain").trim();
  if (files.length === 0 || (words !== "" && !listed(words, files))) return; // office programs lay a picture of the text beside it
  event.preventDefault();
  add(files);
});
const hasFiles = (event) => event.dataTransfer.types.includes("Files"); // what is dragged may be text
form.addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
form.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
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
  if (begun()) event.preventDefault();
});

for (const name of ["add", "keys", "code"]) $(name).hidden = false;
document.querySelector("[data-tools]").hidden = false;
for (const side of sides) {
  side.log.replaceChildren();
  const pin = [...side.versions.options].find((option) => option.defaultSelected)?.value; // what the browser kept of an earlier visit aside
  side.choose(side.picker.input.defaultValue + (pin ? "@" + pin : ""));
}
