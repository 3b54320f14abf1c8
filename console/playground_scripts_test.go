package console_test

import "testing"

// growing are answers in which a line changes what the lines before it are.
var growing = []string{ //nolint:gochecknoglobals // a constant
	"one\n\ntwo\n#tag\n\nthree\n===\nfour\n---\n- a\n\n\n- b\n\n      code\n\n  more\nlazy\n***bold***\n\n1. x\n2. y\n\n2) z\n",
	"| a | b |\n|---|---|\n| 1 | 2 |\ntext\n| c | d |\n|---|---|\n| 3 |\n\n> quoted\nlazy\n\n> again\n>\n> - list\n\n    indented\n\n    goes on\n",
	"```js\nlet a = `x`;\n\n# no heading\n```\nafter\n``` not `a fence\n\n~~~\n```\n~~~~\n\nend *of* **it**\n\n***\n\nlast",
	"see [r] and [x][r]\n\nfirst\n\nsecond\n\n[r]: https://example.com\n\"a title\nof two lines\"\n\nthird [r]\n\nfourth",
	"a\r\n\r\nb\r\n\r\nc\r\rd\r\n* \r\n* e\n\n\n\n机器 **é** \U0001F600\n\n## h\n\n<b>x</b>\n\n&amp; \\*\n\n![i](https://example.com/i.png)\n\n[j](javascript:x)\n\u0000\n",
	"para\n| a | b |\n|---|---|\n\npara\n```\ncode\n```\n- [ ] x\n  - y\n    - z\n\n10. ten\n    > deep\n    > # h\n\n   \n\t tab\n\nend",
}

// An answer that is rendered as it grows ends as it would be rendered as a whole, and blocks that cannot change stay as they are; an event
// stream says the same wherever the network cuts it.
func TestScripts(t *testing.T) {
	s := newServer(t)
	b := s.tab(desktop())
	b.signIn(s.admin)
	b.show("playground?model=sandbox")
	eval[any](b, `const scripts = document.querySelector("script[src$='playground.js']").src; const load = (name) => import(scripts.replace("playground.js", name)); 0`)
	for _, text := range growing {
		const grow = `(async () => {
			const { render, Rendering } = await load("markdown.js");
			const make = () => document.createElement("div");
			const whole = make();
			render(whole, text);
			for (const step of [1, 2, 7]) {
				const element = make(), shown = new Rendering(element);
				for (let n = step; n < text.length; n += step) shown.show(text.slice(0, n));
				shown.finish(text);
				if (element.innerHTML !== whole.innerHTML) return "by " + step + ":\n" + element.innerHTML + "\nas a whole:\n" + whole.innerHTML;
			}
			return "";
		})()`
		if differs := eval[string](b, `{const text = `+quoteJS(text)+`; `+grow+`}`); differs != "" {
			t.Errorf("%q is shown %s", text, differs)
		}
	}
	if !eval[bool](b, `(async () => {
		const { Rendering } = await load("markdown.js");
		const element = document.createElement("div"), shown = new Rendering(element);
		shown.show("one\n\ntwo\n\nthree");
		const first = element.firstElementChild;
		shown.show("one\n\ntwo\n\nthree\n\nfour");
		return element.children.length === 4 && first === element.firstElementChild;
	})()`) {
		t.Error("a block that cannot change is rendered again")
	}

	if starts := eval[string](b, `(async () => {
		const { render } = await load("markdown.js");
		const element = document.createElement("div");
		render(element, "1. one\n\n`+"```sh\\nls\\n```"+`\n\n2. two\n\nthen\n\n7) seven");
		return [...element.querySelectorAll("ol")].map((list) => list.start).join();
	})()`); starts != "1,2,7" {
		t.Errorf("steps with code between them begin with %s", starts)
	}

	if wrong := eval[string](b, `(async () => {
		const { events } = await load("stream.js");
		const said = ": keep-alive\n\n" + ["é", "机器 ", "\u{1F600}\n", "data: [DONE]\\n"].map((delta) => "data: " + JSON.stringify({ type: "content_delta", delta }) + "\n\n").join(": keep-alive\r\n\r\n");
		const bytes = new TextEncoder().encode(said + "data: [DONE]\r\n\r\n");
		const read = async (...pieces) => {
			let text = "";
			for await (const e of events(new ReadableStream({ start: (c) => (pieces.forEach((p) => c.enqueue(p)), c.close()) }))) text += e.delta;
			return text;
		};
		const whole = await read(bytes);
		if (whole !== "é机器 \u{1F600}\ndata: [DONE]\\n") return "whole: " + whole;
		for (let n = 1; n < bytes.length; n++) {
			const text = await read(bytes.slice(0, n), bytes.slice(n));
			if (text !== whole) return n + ": " + text;
		}
		const single = await read(...Array.from(bytes, (_, i) => bytes.slice(i, i + 1)));
		if (single !== whole) return "bytes: " + single;
		return await read(bytes.slice(0, bytes.length - 20)).then(() => "no error where a stream breaks off", () => "");
	})()`); wrong != "" {
		t.Errorf("a stream that is cut says something else: %s", wrong)
	}
}
