// The current request as a program.

// json writes what does not show, or would turn the program's text around, as escapes, which all four languages read alike.
const json = (value, indent) => JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

// python writes a value as Python has it: JSON but for its three words.
function python(value, indent = "") {
  const deeper = indent + "    ";
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[\n${value.map((v) => deeper + python(v, deeper)).join(",\n")},\n${indent}]`;
  if (typeof value === "object") return `{\n${Object.entries(value).map(([k, v]) => `${deeper}${json(k)}: ${python(v, deeper)}`).join(",\n")},\n${indent}}`;
  return typeof value === "string" ? json(value) : String(value);
}

// goString is a literal that Go reads: raw where it can be.
const goString = (text) => "`" + text.replace(/`/g, "` + \"`\" + `") + "`";

// openai is a call in the shape of OpenAI's Chat Completions, and what only ours has.
function openai(url, { assistant_id: assistant, model, system, messages, variables, ...settings }) {
  const said = system ? [{ role: "system", content: system }, ...messages] : messages;
  return { base: url.replace(/\/api\/v2\/generate$/, "/v1"), call: { model: assistant ?? model, messages: said, ...settings }, more: variables ? { variables } : {} };
}

const indented = (body) => json(body, 2).replace(/\n/g, "\n  ");

// code writes a program that makes a call, and prints the answer: as it comes where the call says stream.
export const code = {
  curl: (url, body) => `curl ${body.stream ? "-sN" : "-s"} ${url} \\
  -H "Authorization: Bearer $ELUMENTA_API_KEY" \\
  -H "Content-Type: application/json" \\
  --data-binary @- <<'JSON'
${json(body, 2)}
JSON
`,
  python: (url, body) => `${body.stream ? "import json\n" : ""}import os
import requests

answer = requests.post(
    ${json(url)},
    headers={"Authorization": "Bearer " + os.environ["ELUMENTA_API_KEY"]},
    json=${python(body, "    ")},
    timeout=600,${body.stream ? "\n    stream=True," : ""}
)
answer.raise_for_status()
${body.stream ? `for line in answer.iter_lines():
    if line == b"data: [DONE]":
        break
    if line.startswith(b"data: "):
        event = json.loads(line[6:])
        if event["type"] == "error":
            raise RuntimeError(event["message"])
        print(event.get("delta", ""), end="", flush=True)
else:
    raise RuntimeError("the stream broke off")
` : `print(answer.json()["content"])
`}`,
  javascript: (url, body) => `const answer = await fetch(${json(url)}, {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.ELUMENTA_API_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify(${indented(body)}),
});
if (!answer.ok) throw new Error(await answer.text());
${body.stream ? `let rest = "", done = false;
for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    if (line === "data: [DONE]") done = true;
    else if (line.startsWith("data: ")) {
      const event = JSON.parse(line.slice(6));
      if (event.type === "error") throw new Error(event.message);
      process.stdout.write(event.delta ?? "");
    }
  }
}
if (!done) throw new Error("the stream broke off");
` : `console.log((await answer.json()).content);
`}`,
  go: (url, body) => `package main

import (
${body.stream ? '\t"bufio"\n' : ""}	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

const request = ${goString(json(body, 2))}

func main() {
	req, err := http.NewRequest("POST", ${json(url)}, strings.NewReader(request))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("ELUMENTA_API_KEY"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
${body.stream ? `	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		log.Fatal(resp.Status, " ", string(body))
	}
	for in := bufio.NewReader(resp.Body); ; {
		line, err := in.ReadString('\\n')
		if err != nil {
			log.Fatal("the stream broke off: ", err)
		}
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if data == "[DONE]" {
			return
		}
		if !ok {
			continue
		}
		var event struct{ Type, Delta, Message string }
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			log.Fatal(err)
		}
		if event.Type == "error" {
			log.Fatal(event.Message)
		}
		fmt.Print(event.Delta)
	}
` : `	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status, " ", string(body), err)
	}
	var answer struct{ Content string }
	if err := json.Unmarshal(body, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Content)
`}}
`,
  "openai-python": (url, body) => {
    const { base, call, more } = openai(url, body);
    const all = Object.keys(more).length > 0 ? { ...call, extra_body: more } : call;
    const members = Object.entries(all).map(([name, value]) => `    ${name}=${python(value, "    ")},`).join("\n");
    return `import os
from openai import OpenAI

client = OpenAI(base_url=${json(base)}, api_key=os.environ["ELUMENTA_API_KEY"])
answer = client.chat.completions.create(
${members}
)
${body.stream ? `for chunk in answer:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
` : `print(answer.choices[0].message.content)
`}`;
  },
  "openai-javascript": (url, body) => {
    const { base, call, more } = openai(url, body);
    return `import OpenAI from "openai";

const client = new OpenAI({ baseURL: ${json(base)}, apiKey: process.env.ELUMENTA_API_KEY });
const answer = await client.chat.completions.create(${json({ ...call, ...more }, 2)});
${body.stream ? `for await (const chunk of answer) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
` : `console.log(answer.choices[0].message.content);
`}`;
  },
};
