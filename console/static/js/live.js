// Forms that search as one types: [data-live] names the element that shows what was found. The address follows, so that reload, back and
// links show the same; so do the links in [data-follows].

const pause = 150; // ms without a key
const number = new Intl.NumberFormat(document.documentElement.lang);

// found says what came of a search: what the results say of themselves, or how many they are.
function found(results, label) {
  const said = results.querySelector(".empty") ?? results.querySelector("[data-found]");
  return said?.textContent ?? `${label}: ${number.format(results.querySelector("tbody, ul")?.childElementCount ?? 0)}`;
}

// follow lets links keep what is looked for, and where the preferences lead back to.
function follow({ name, value }, address) {
  for (const link of document.querySelectorAll("[data-follows] a")) {
    const to = new URL(link.href);
    if (value === "") to.searchParams.delete(name);
    else to.searchParams.set(name, value);
    link.href = to;
  }
  for (const back of document.querySelectorAll("input[name=back]")) back.value = address;
}

for (const form of document.querySelectorAll("[data-live]")) {
  const target = document.querySelector(form.dataset.live);
  const field = form.querySelector("[type=search]");
  const label = field.labels[0].textContent;
  const said = document.createElement("p"); // it stays where the results do not: screen readers hear of changes alone
  said.setAttribute("role", "status");
  form.after(said);
  let timer, running;

  const say = (text, broken) => {
    said.className = broken ? "notice" : "visually-hidden";
    said.textContent = text;
  };
  say("", false);

  const asked = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = () => form.getAttribute("action") + (asked().size ? "?" + asked() : "");

  const search = async () => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    const query = asked();
    const here = address();
    query.set("part", "results");
    try {
      const answer = await fetch(form.getAttribute("action") + "?" + query, { signal: running.signal, headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return form.submit(); // the server's page says what is wrong
      target.innerHTML = await answer.text(); // the server's own markup, every text of a person's in it escaped
      say(found(target, label), false);
      history.replaceState(null, "", here);
    } catch (error) {
      if (error.name !== "AbortError") say(form.dataset.textBroken ?? `${label} ⚠`, true); // the next key searches again
    }
  };

  form.addEventListener("input", (event) => {
    follow(field, address());
    if (event.isComposing) return; // a word of Chinese or Japanese is not finished yet
    clearTimeout(timer);
    timer = setTimeout(search, pause);
  });
  form.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(search, pause);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  if (field.value !== field.defaultValue) search(); // typed before this script was there
}
