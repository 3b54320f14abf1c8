// Forms that search as one types: [data-live] names the element that shows what was found. The address follows, so that reload, back and
// links show the same.

const pause = 150; // ms without a key

for (const form of document.querySelectorAll("[data-live]")) {
  const target = document.querySelector(form.dataset.live);
  let timer, running;

  const search = async () => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const address = form.getAttribute("action") + (query.size ? "?" + query : "");
    query.set("part", "results");
    try {
      const answer = await fetch(form.getAttribute("action") + "?" + query, { signal: running.signal, headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return form.submit(); // the server's page says what is wrong
      target.innerHTML = await answer.text(); // the server's own markup, every text of a person's in it escaped
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };

  form.addEventListener("input", (event) => {
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
}
