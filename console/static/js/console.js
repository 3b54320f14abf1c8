// What every page has: links that sign in once, texts to copy, and the focus on what is wrong.

for (const form of document.querySelectorAll("[data-sign-in-link]")) {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // the token stays out of the history
  form.elements.token.value = token;
  form.hidden = token === "";
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText("value" in from ? from.value : from.textContent);
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 2000);
    sayCopied("textCopied");
  } catch {
    getSelection().selectAllChildren(from); // not allowed to: the person copies what is selected
    sayCopied("textNotCopied");
  }
});

let silence; // the timer that takes back what was said last

// sayCopied tells those who do not see the button what it did.
function sayCopied(key) {
  const said = document.querySelector("[data-copy-said]");
  said.textContent = said.dataset[key];
  clearTimeout(silence);
  silence = setTimeout(() => (said.textContent = ""), 2000); // the next time is told again
}

// A second click on the button that has sent a form would send it again. An answer that does not come may be asked for once more.
let sent = new WeakMap(); // the button that sent each form
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form) && sent.get(form) === event.submitter) return event.preventDefault();
  sent.set(form, event.submitter);
  setTimeout(() => sent.delete(form), 10000);
});
addEventListener("pageshow", () => (sent = new WeakMap()));

// What an editor keeps in this tab is for whoever is signed in.
document.querySelector("[data-sign-out]")?.addEventListener("submit", () => sessionStorage.clear());

document.querySelector("[data-focus]")?.focus();
