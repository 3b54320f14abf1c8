// One question to an assistant on its public page. Nothing of it is kept.

import { Rendering } from "./markdown.js";
import { generate } from "./stream.js";

for (const box of document.querySelectorAll("[data-try]")) {
  const text = box.dataset;
  const form = document.createElement("form");
  form.className = "stack";
  const question = document.createElement("textarea");
  question.rows = 2;
  question.required = true;
  question.dir = "auto";
  question.setAttribute("aria-label", text.textMessage);
  question.placeholder = text.textMessage;
  const row = document.createElement("div");
  row.className = "row";
  const ask = document.createElement("button");
  ask.className = "main";
  ask.textContent = text.textSend;
  const stop = document.createElement("button");
  stop.type = "button";
  stop.hidden = true;
  stop.textContent = text.textStop;
  row.append(ask, stop);
  const answer = document.createElement("div");
  answer.setAttribute("aria-live", "polite");
  const fields = JSON.parse(text.variables || "[]").map((variable) => {
    const input = document.createElement("input");
    input.name = variable.name;
    input.placeholder = variable.default ?? "";
    input.required = variable.required ?? false;
    input.dir = "auto";
    const label = document.createElement("label");
    label.append(variable.description ? `${variable.name} — ${variable.description} ` : variable.name + " ", input);
    form.append(label);
    return input;
  });
  form.append(question, row);
  box.append(form, answer);

  let running;
  stop.addEventListener("click", () => running?.abort());
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    ask.disabled = true;
    stop.hidden = false;
    answer.setAttribute("aria-busy", "true");
    const request = { assistant_id: text.assistant, prompt: question.value };
    const given = fields.filter((input) => input.value !== "");
    if (given.length > 0) request.variables = Object.fromEntries(given.map((input) => [input.name, input.value]));
    const body = document.createElement("div");
    body.className = "markdown";
    answer.replaceChildren(body);
    const shown = new Rendering(body);
    let whole = "";
    try {
      for await (const piece of generate(request, running.signal)) {
        if (piece.type !== "content_delta") continue;
        whole += piece.delta;
        shown.grow(whole);
      }
    } catch (error) {
      const said = document.createElement("p"); // below what came before
      if (error.name === "AbortError") {
        said.className = "notice";
        said.textContent = whole === "" ? text.textStoppedBefore : text.textStopped;
      } else {
        said.className = "wrong";
        said.textContent = error.code === "not_authenticated" ? text.textEnded : error.code ? error.message : text.textBroken;
      }
      answer.append(said);
    }
    shown.finish(whole);
    answer.removeAttribute("aria-busy");
    running = undefined;
    ask.disabled = false;
    stop.hidden = true;
  });
}
