package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

func TestGenerateNamesEveryBadField(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	image := func(url string) string {
		return `{"model":"sandbox","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
	}
	const at = "messages[0].content[0].image_url.url"
	gif := "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
	for name, test := range map[string]struct {
		body   string
		fields []string
	}{
		"nothing":             {`{}`, []string{"messages", "model"}},
		"only a system":       {`{"model":"sandbox","messages":[{"role":"system","content":"s"}]}`, []string{"messages"}},
		"no messages":         {`{"model":"sandbox","messages":[]}`, []string{"messages"}},
		"empty prompt":        {`{"model":"sandbox","prompt":""}`, []string{"prompt"}},
		"unknown model":       {`{"model":"gpt-99","prompt":"x"}`, []string{"model"}},
		"wrong types":         {`{"model":1,"prompt":[],"stream":"yes","temperature":"hot","max_tokens":1.5,"top_p":{},"stop":5,"user":{},"variables":[],"params":3,"response_format":"json"}`, []string{"max_tokens", "model", "params", "prompt", "response_format", "stop", "stream", "temperature", "top_p", "user", "variables"}},
		"numbers":             {`{"model":"sandbox","prompt":"x","temperature":1e400,"max_tokens":0,"top_p":-0.1}`, []string{"max_tokens", "temperature", "top_p"}},
		"huge integer":        {`{"model":"sandbox","prompt":"x","max_tokens":99999999999999999999}`, []string{"max_tokens"}},
		"bad ids":             {`{"assistant_id":"gen_01j9x2k3m4n5p6q7r8s9t0v1w2","prompt":"x"}`, []string{"assistant_id"}},
		"bad pin":             {`{"assistant_id":"` + string(elumenta.NewAssistantID()) + `@0","prompt":"x"}`, []string{"assistant_id"}},
		"stops":               {`{"model":"sandbox","prompt":"x","stop":["a","b","c","d","e"]}`, []string{"stop"}},
		"stop items":          {`{"model":"sandbox","prompt":"x","stop":["","` + strings.Repeat("s", 65) + `",3]}`, []string{"stop[0]", "stop[1]", "stop[2]"}},
		"user":                {`{"model":"sandbox","prompt":"x","user":"` + strings.Repeat("é", 129) + `"}`, []string{"user"}},
		"variables":           {`{"model":"sandbox","prompt":"x","variables":{"a":1,"b":"` + strings.Repeat("v", 8001) + `"}}`, []string{"variables.a", "variables.b"}},
		"roles and content":   {`{"model":"sandbox","messages":[{"role":"tool","content":"x"},{"content":"x"},{"role":"user"},{"role":"user","content":""},{"role":"user","content":[]},{"role":"user","content":null},7,{"role":"user","content":"x","name":"n"}]}`, []string{"messages[0].role", "messages[1].role", "messages[2].content", "messages[3].content", "messages[4].content", "messages[5].content", "messages[6]", "messages[7].name"}},
		"parts":               {`{"model":"sandbox","messages":[{"role":"user","content":[{"type":"audio"},{"text":"x"},{"type":"text"},{"type":"text","text":""},{"type":"text","text":"x","image_url":{}},{"type":"image_url","image_url":{"url":"https://x.example/","size":1}},"x"]}]}`, []string{"messages[0].content[0].type", "messages[0].content[1].type", "messages[0].content[2].text", "messages[0].content[3].text", "messages[0].content[4].image_url", "messages[0].content[4].image_url.url", "messages[0].content[5].image_url.size", "messages[0].content[6]"}},
		"system with image":   {`{"model":"sandbox","prompt":"x","messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]}]}`, []string{"messages[0].content[0]"}},
		"params messages":     {`{"model":"sandbox","params":{"messages":[{"role":"user","content":""}]}}`, []string{"params.messages[0].content"}},
		"NUL":                 {`{"model":"sandbox","prompt":"a\u0000b","system":"\u0000"}`, []string{"prompt", "system"}},
		"format":              {`{"model":"sandbox","prompt":"x","response_format":{"type":"yaml","other":1}}`, []string{"response_format.other", "response_format.type"}},
		"schema too large":    {`{"model":"sandbox","prompt":"x","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"d":"` + strings.Repeat("x", 65<<10) + `"}}}}`, []string{"response_format"}},
		"http address":        {image("http://10.0.0.1/secret"), []string{at}},
		"file address":        {image("file:///etc/passwd"), []string{at}},
		"loopback":            {image("https://127.0.0.1/a.png"), []string{at}},
		"metadata service":    {image("https://169.254.169.254/latest"), []string{at}},
		"mapped loopback":     {image("https://[::ffff:127.0.0.1]:8443/"), []string{at}},
		"unique local":        {image("https://[fd00::1]/"), []string{at}},
		"carrier's NAT":       {image("https://100.64.0.1/"), []string{at}},
		"NAT64":               {image("https://[64:ff9b::a00:1]/"), []string{at}},
		"6to4":                {image("https://[2002:7f00:1::]/"), []string{at}},
		"IPv4 in IPv6":        {image("https://[::127.0.0.1]/"), []string{at}},
		"site-local":          {image("https://[fec0::1]/"), []string{at}},
		"this network":        {image("https://0.1.2.3/"), []string{at}},
		"reserved":            {image("https://240.0.0.1/"), []string{at}},
		"a network's own":     {image("https://router.home.arpa/"), []string{at}},
		"a network's other":   {image("https://nas.lan/"), []string{at}},
		"address as a number": {image("https://2130706433/"), []string{at}},
		"address in hex":      {image("https://0x7f.1/"), []string{at}},
		"address in octal":    {image("https://0177.0.0.1/"), []string{at}},
		"localhost":           {image("https://app.LOCALHOST./"), []string{at}},
		"name without a dot":  {image("https://printer/"), []string{at}},
		"internal name":       {image("https://metadata.google.internal/"), []string{at}},
		"impossible port":     {image("https://example.com:99999/"), []string{at}},
		"address with name":   {image("https://user:pw@example.com/a.png"), []string{at}},
		"address with break":  {image(`https://example.com/\r\nX: y`), []string{at}},
		"long address":        {image("https://example.com/" + strings.Repeat("a", 9000)), []string{at}},
		"not base64":          {image("data:image/png;base64,@@@@"), []string{at}},
		"no base64":           {image("data:image/png,abcd"), []string{at}},
		"another type":        {image("data:image/png;base64," + gif), []string{at}},
		"svg":                 {image("data:image/svg+xml;base64," + gif), []string{at}},
		"text as image":       {image("data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("just a text, no image"))), []string{at}},
		"empty image":         {image("data:image/png;base64,"), []string{at}},
		"variables too many":  {`{"model":"sandbox","prompt":"x","variables":{` + strings.TrimSuffix(strings.Join(numbered(33), ","), ",") + `}}`, []string{"variables"}},
		"an unknown variable": {`{"model":"sandbox","prompt":"x","variables":{"a":"b"}}`, []string{"variables"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.do("POST", "/generate", key, test.body)
			r.t = t
			r.wantFields(test.fields...)
		})
	}
	many := make([]object, 2001)
	for i := range many {
		many[i] = object{"role": "user", "content": "x"}
	}
	s.do("POST", "/generate", key, object{"model": "sandbox", "messages": many}).wantFields("messages")
	s.do("POST", "/generate", key, object{"model": "sandbox", "stop": 5}).wantFields("messages", "stop")
	s.do("POST", "/generate", key, object{"assistant_id": "x"}).wantFields("assistant_id", "messages")
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": 5}).wantFields("prompt")
	s.do("POST", "/generate", key, object{"model": "sandbox", "messages": 5}).wantFields("messages")
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "x", "max_tokens": 1e12}).want(200)
	s.do("POST", "/generate", key, object{"model": "sandbox", "messages": many[:2000]}).want(200)
}

func numbered(n int) (pairs []string) {
	for i := range n {
		pairs = append(pairs, fmt.Sprintf(`"v%d":""`, i))
	}
	return pairs
}
