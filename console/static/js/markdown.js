// Answers of a model, which are foreign text, as Markdown: HTML in them is text, links lead to the web or to mail only, images are links,
// and what comes out is cleaned once more.

import { copyText } from "./copy.js";

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
  ALLOWED_URI_REGEXP: /^(https?:|mailto:)/i, // every attribute must match it that is not called safe
  ADD_URI_SAFE_ATTR: ["start"],
};

// fragment is Markdown's HTML as nodes that may be shown.
function fragment(html) {
  const nodes = window.DOMPurify.sanitize(html, { ...allowed, RETURN_DOM_FRAGMENT: true });
  for (const heading of nodes.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const level = Math.min(6, Number(heading.tagName[1]) + 2); // below the page's own
    const lower = document.createElement(`h${level}`);
    lower.append(...heading.childNodes);
    heading.replaceWith(lower);
  }
  for (const part of nodes.children) part.dir = "auto";
  return nodes;
}

// lineStart is where a line begins, the first being 0, with lines as the parser has them.
function lineStart(text, line) {
  const ends = /\r\n?|\n/g;
  while (line-- > 0) ends.exec(text);
  return ends.lastIndex;
}

// Rendering shows a text that grows. Blocks that further text cannot change are rendered once. That is all but the last two: the line
// that is being written may yet turn out to go on with the block before it.
export class Rendering {
  // around, if given, is told to draw, and may do something before and after.
  constructor(element, around = (draw) => draw()) {
    this.element = element;
    this.around = around;
    this.from = 0; // where the text begins that is rendered again
    this.kept = 0; // nodes of the text before that
    this.linked = false; // a definition of a link counts for all blocks, those before it too
  }

  // grow shows the text so far in one of the next frames. A block that takes long, like a list without an end, is shown less often.
  grow(text) {
    this.text = text;
    this.frame ??= requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = undefined;
    if (now < this.pause) return this.grow(this.text);
    const begun = performance.now();
    this.around(() => this.show(this.text));
    this.pause = performance.now() + 3 * (performance.now() - begun);
  }

  // show shows the text so far. Code has no colours yet.
  show(text) {
    const rest = text.slice(this.from);
    const env = {};
    const tokens = parser.parse(rest, env);
    this.linked ||= Object.keys(env.references ?? {}).length > 0;
    while (this.element.childNodes.length > this.kept) this.element.lastChild.remove();
    const blocks = [...tokens.keys()].filter((i) => tokens[i].level === 0 && tokens[i].nesting >= 0);
    if (blocks.length > 2) {
      const settled = tokens.splice(0, blocks.at(-2));
      this.element.append(fragment(parser.renderer.render(settled, parser.options, env)));
      this.kept = this.element.childNodes.length;
      this.from += lineStart(rest, tokens[0].map[0]);
    }
    this.element.append(fragment(parser.renderer.render(tokens, parser.options, env)));
  }

  // finish shows the whole text.
  finish(text) {
    cancelAnimationFrame(this.frame);
    if (this.linked) {
      this.from = this.kept = 0;
      this.element.replaceChildren(fragment(parser.render(text)));
    } else {
      this.show(text);
    }
    decorate(this.element);
  }
}

// render shows a whole text in an element.
export function render(element, text) {
  element.replaceChildren(fragment(parser.render(text)));
  decorate(element);
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
      if (!(await copyText(block.textContent, button, texts))) getSelection().selectAllChildren(block);
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
