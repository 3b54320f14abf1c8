// Answers of a model, which are foreign text, as Markdown: HTML in them is text, links lead to the web or to mail only, images are links,
// and what comes out is cleaned once more.

const parser = window.markdownit({ html: false, linkify: false, typographer: false, breaks: true });
parser.renderer.rules.image = (tokens, i, options, env, self) => {
  const token = tokens[i];
  const text = self.renderInlineAsText(token.children, options, env) || token.attrGet("src");
  const link = /^https?:/i.test(token.attrGet("src")) ? token.attrGet("src") : "";
  return link ? `<a href="${parser.utils.escapeHtml(link)}">${parser.utils.escapeHtml(text)}</a>` : parser.utils.escapeHtml(text);
};
parser.validateLink = (address) => /^(https?:|mailto:)/i.test(address.trim());

window.DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

const allowed = {
  ALLOWED_TAGS: ["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"],
  ALLOWED_ATTR: ["href", "class", "start"],
  ALLOWED_URI_REGEXP: /^(https?:|mailto:)/i,
};

// render shows text in an element. While it streams, code has no colours yet.
export function render(element, text, finished) {
  element.innerHTML = window.DOMPurify.sanitize(parser.render(text), allowed);
  for (const heading of element.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const level = Math.min(6, Number(heading.tagName[1]) + 2); // below the page's own
    const lower = document.createElement(`h${level}`);
    lower.append(...heading.childNodes);
    heading.replaceWith(lower);
  }
  for (const part of element.children) part.dir = "auto";
  if (finished) decorate(element);
}

let highlighter;

async function decorate(element) {
  const blocks = [...element.querySelectorAll("pre > code")];
  if (blocks.length === 0) return;
  const texts = document.querySelector("[data-playground], [data-try]").dataset;
  for (const block of blocks) {
    block.parentElement.tabIndex = 0;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = texts.textCopy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = texts.textCopied;
      setTimeout(() => (button.textContent = texts.textCopy), 2000);
    });
    block.parentElement.after(button);
  }
  highlighter ??= import("../vendor/highlight.js");
  const { default: highlight } = await highlighter;
  for (const block of blocks) {
    const language = /language-(\S+)/.exec(block.className)?.[1];
    if (language && highlight.getLanguage(language)) highlight.highlightElement(block);
  }
}
