// The current request as a program.

const string = (text) => JSON.stringify(text).replace(/\u2028/g, "\\u2028").replace(/\u2029/g, "\\u2029");

// python writes a value as Python has it: JSON but for its three words.
function python(value, indent = "") {
  const deeper = indent + "    ";
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[\n${value.map((v) => deeper + python(v, deeper)).join(",\n")},\n${indent}]`;
  if (typeof value === "object") return `{\n${Object.entries(value).map(([k, v]) => `${deeper}${string(k)}: ${python(v, deeper)}`).join(",\n")},\n${indent}}`;
  return typeof value === "string" ? string(value) : String(value);
}

// goString is a literal that Go reads: raw where it can be.
const goString = (text) => "`" + text.replace(/`/g, "` + \"`\" + `") + "`";

export const code = {
  curl: (url, body) => `curl -s ${url} \\
  -H "Authorization: Bearer $ELUMENTA_API_KEY" \\
  -H "Content-Type: application/json" \\
  --data-binary @- <<'JSON'
${JSON.stringify(body, null, 2)}
JSON
`,
  python: (url, body) => `import os
import requests

answer = requests.post(
    ${string(url)},
    headers={"Authorization": "Bearer " + os.environ["ELUMENTA_API_KEY"]},
    json=${python(body, "    ")},
    timeout=600,
)
answer.raise_for_status()
print(answer.json()["content"])
`,
  javascript: (url, body) => `const answer = await fetch(${string(url)}, {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.ELUMENTA_API_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify(${JSON.stringify(body, null, 2).replace(/\n/g, "\n  ")}),
});
if (!answer.ok) throw new Error(await answer.text());
console.log((await answer.json()).content);
`,
  go: (url, body) => `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

const request = ${goString(JSON.stringify(body, null, 2))}

func main() {
	req, err := http.NewRequest("POST", ${string(url)}, strings.NewReader(request))
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
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status, " ", string(body), err)
	}
	var answer struct{ Content string }
	if err := json.Unmarshal(body, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Content)
}
`,
};
