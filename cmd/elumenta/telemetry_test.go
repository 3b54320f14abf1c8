package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes what is exported by OTLP over HTTP.
type collector struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	raw     bytes.Buffer
	headers http.Header
	spans   []*tracepb.Span
	metrics map[string]*metricspb.Metric
	about   map[string]string // the resource
	schemas map[string]bool
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t, metrics: map[string]*metricspb.Metric{}, schemas: map[string]bool{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	c.headers = r.Header
	switch r.URL.Path {
	case "/v1/traces":
		var m collectortrace.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			c.t.Error(err)
		}
		for _, of := range m.GetResourceSpans() {
			c.about = values(of.GetResource().GetAttributes())
			for _, scope := range of.GetScopeSpans() {
				c.schemas[scope.GetSchemaUrl()] = true
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	case "/v1/metrics":
		var m collectormetrics.ExportMetricsServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			c.t.Error(err)
		}
		for _, of := range m.GetResourceMetrics() {
			for _, scope := range of.GetScopeMetrics() {
				c.schemas[scope.GetSchemaUrl()] = true
				for _, metric := range scope.GetMetrics() {
					c.metrics[metric.GetName()] = metric
				}
			}
		}
	default:
		c.t.Errorf("exported to %s", r.URL.Path)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func values(list []*common.KeyValue) map[string]string {
	m := make(map[string]string, len(list))
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			m[kv.GetKey()] = v.StringValue
		case *common.AnyValue_ArrayValue:
			m[kv.GetKey()] = v.ArrayValue.GetValues()[0].GetStringValue()
		case *common.AnyValue_IntValue:
			m[kv.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			m[kv.GetKey()] = fmt.Sprint(v.BoolValue)
		case *common.AnyValue_DoubleValue:
			m[kv.GetKey()] = "number"
		}
	}
	return m
}

// trace lists the spans of a trace, each below its parent, and removes what differs from run to run.
func (c *collector) trace(id string) []string {
	var lines []string
	var below func(parent []byte, indent string)
	below = func(parent []byte, indent string) {
		for _, s := range c.spans {
			if fmt.Sprintf("%x", s.GetTraceId()) != id || !bytes.Equal(s.GetParentSpanId(), parent) {
				continue
			}
			v := values(s.GetAttributes())
			for _, changes := range []string{"elumenta.request.id", "elumenta.generation.id", "elumenta.assistant.id", "server.port", "server.address"} {
				if v[changes] != "" {
					v[changes] = "*"
				}
			}
			attributes := make([]string, 0, len(v))
			for key, value := range v {
				attributes = append(attributes, key+"="+value)
			}
			slices.Sort(attributes)
			status := strings.TrimPrefix(s.GetStatus().GetCode().String(), "STATUS_CODE_")
			lines = append(lines, fmt.Sprintf("%s%s %s %s: %s", indent, strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_"), s.GetName(), status, strings.Join(attributes, " ")))
			below(s.GetSpanId(), indent+"  ")
		}
	}
	below([]byte{1, 2, 3, 4, 5, 6, 7, 8}, "")
	return lines
}

// canary is in everything that a client and a provider write; none of it may be exported.
const canary = "canaryCONVERSATION51c0"

// tracedUpstream speaks Chat Completions: it answers, refuses or breaks off as the last message says.
func tracedUpstream(t *testing.T, headers *sync.Map) *httptest.Server {
	t.Helper()
	u := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if v := r.Header.Get("Traceparent"); v != "" {
			headers.Store(v, r.Header.Get("Tracestate"))
		}
		usage := `"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":5}}`
		switch {
		case bytes.Contains(body, []byte("FAIL")):
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"`+canary+`","type":"invalid_request_error"}}`)
		case bytes.Contains(body, []byte("BREAK")):
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"id":"up","choices":[{"index":0,"delta":{"content":"`+canary+`"},"finish_reason":null}]}`+"\n\n")
		case bytes.Contains(body, []byte(`"stream":true`)):
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"id":"up","choices":[{"index":0,"delta":{"content":"`+canary+`"},"finish_reason":null}]}`+"\n\n"+
				`data: {"id":"up","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+`data: {"id":"up","choices":[],`+usage+"}\n\ndata: [DONE]\n\n")
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":"up","choices":[{"index":0,"message":{"role":"assistant","content":"`+canary+`"},"finish_reason":"stop"}],`+usage+"}")
		}
	}))
	t.Cleanup(u.Close)
	return u
}

// A request's trace goes on from its client's, has a span for each call of a provider and what the GenAI conventions say of it, and
// nothing that anybody wrote.
func TestTelemetry(t *testing.T) {
	c, told := newCollector(t), &sync.Map{}
	u := tracedUpstream(t, told)
	s := start(t, "", []string{
		"DEEPSEEK_API_KEY=sk-" + canary, "DEEPSEEK_BASE_URL=" + u.URL, "OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL,
		"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20collectors", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test,service.name=assistants",
		"ELUMENTA_TRACE_PROVIDERS=true",
	}, "--no-starters")
	id := must(t, s.env(), "", "assistants", "create", "--name", canary, "--model", "deepseek-v3", "--instructions", canary)
	call := func(trace, message string, stream bool) {
		t.Helper()
		body := fmt.Sprintf(`{"assistant_id":%q,"messages":[{"role":"user","content":"%s %s"}],"user":%q,"max_tokens":50,"stream":%t}`, id, canary, message, canary, stream)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Authorization": {"Bearer " + s.key}, "Content-Type": {"application/json"}, "Traceparent": {"00-" + trace + "-0102030405060708-01"},
			"Tracestate": {"vendor=" + canary}, "Baggage": {"secret=" + canary}, "User-Agent": {canary},
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	whole, streamed, failed, broken := strings.Repeat("a1", 16), strings.Repeat("b2", 16), strings.Repeat("c3", 16), strings.Repeat("d4", 16)
	call(whole, "hello", false)
	call(streamed, "hello", true)
	call(failed, "FAIL", false)
	call(broken, "BREAK", true)
	s.get("/" + canary + "?q=" + canary)
	s.get("/readyz")
	s.stop()

	const (
		made    = "elumenta.assistant.id=* elumenta.assistant.version=1 "
		request = made + "elumenta.generation.id=* elumenta.model=deepseek-v3 "
		usage   = "gen_ai.usage.cache_read.input_tokens=60 gen_ai.usage.input_tokens=100 gen_ai.usage.output_tokens=20 gen_ai.usage.reasoning.output_tokens=5 "
		server  = " http.request.method=POST http.response.status_code=%d http.route=/api/v2/generate network.protocol.version=1.1 url.scheme=http"
	)
	model := upstreamModel(t, c)
	served := func(status int, outcome, before, failure string) string {
		if failure != "" {
			failure += " "
		}
		return strings.TrimRight("SERVER POST /api/v2/generate "+outcome+": "+before+"elumenta.request.id=* "+failure+strings.TrimPrefix(fmt.Sprintf(server, status), " "), " ")
	}
	chat := func(outcome, errorType, response, status string, stream bool) string {
		return fmt.Sprintf("  CLIENT chat %s %s: %selumenta.provider=deepseek %sgen_ai.operation.name=chat gen_ai.provider.name=deepseek gen_ai.request.max_tokens=50 gen_ai.request.model=%s gen_ai.request.stream=%t %s%sserver.address=* server.port=*",
			model, outcome, strings.TrimSuffix(request, ""), strings.ReplaceAll(errorType, ";", " "), model, stream, response, status)
	}
	answered := "gen_ai.response.finish_reasons=stop gen_ai.response.id=up "
	reserve, settle := "  INTERNAL reserve UNSET: "+strings.TrimSpace(request), "  INTERNAL settle UNSET: "+request+"elumenta.settlement="
	for name, want := range map[string][]string{
		whole: {served(200, "UNSET", "", ""), reserve, chat("UNSET", "", answered+usage, "", false), settle + "charged"},
		streamed: {
			served(200, "UNSET", "", ""), reserve,
			chat("UNSET", "", answered+"gen_ai.response.time_to_first_chunk=number "+usage, "", true), settle + "charged",
		},
		failed: {
			served(422, "UNSET", "elumenta.error.code=provider_rejected ", ""), reserve,
			chat("ERROR", "error.type=rejected ", "", "http.response.status_code=400 ", false), settle + "given_back",
		},
		broken: {
			served(200, "ERROR", "elumenta.error.code=provider_error ", "error.type=provider_error"), reserve,
			chat("ERROR", "error.type=truncated ", "gen_ai.response.id=up gen_ai.response.time_to_first_chunk=number ", "", true), settle + "given_back",
		},
	} {
		if diff := cmp.Diff(want, c.trace(name)); diff != "" {
			t.Errorf("the trace %s (-want +got):\n%s", name, diff)
		}
	}
	c.checkMetrics(t)
	c.checkDocs(t)
	c.checkPrivacy(t, s)
	parent := 0
	told.Range(func(key, state any) bool {
		parent++
		if !strings.HasPrefix(key.(string), "00-") || state != "" {
			t.Errorf("a provider was told %v and %v", key, state)
		}
		return true
	})
	if parent != 4 {
		t.Errorf("providers were told %d traces", parent)
	}
	if c.about["service.name"] != "assistants" || c.about["deployment.environment.name"] != "test" || c.about["service.version"] == "" || c.about["service.instance.id"] == "" {
		t.Errorf("the resource is %v", c.about)
	}
	if c.headers.Get("Authorization") != "Bearer collectors" || len(c.schemas) != 1 || !c.schemas["https://opentelemetry.io/schemas/1.41.0"] {
		t.Errorf("exported with the headers %v and schemas %v", c.headers, c.schemas)
	}
}

// upstreamModel is the model that the provider was asked for, by the spans themselves.
func upstreamModel(t *testing.T, c *collector) string {
	t.Helper()
	for _, s := range c.spans {
		if m := values(s.GetAttributes())["gen_ai.request.model"]; m != "" {
			return m
		}
	}
	t.Fatal("no span of a provider's call")
	return ""
}

func (c *collector) checkMetrics(t *testing.T) {
	t.Helper()
	counts := map[string]uint64{}
	for name, m := range c.metrics {
		for _, p := range m.GetHistogram().GetDataPoints() {
			v := values(p.GetAttributes())
			if v["gen_ai.operation.name"] != "chat" || v["gen_ai.provider.name"] != "deepseek" || v["server.address"] != "127.0.0.1" || v["server.port"] == "" {
				t.Errorf("%s has %v", name, v)
			}
			counts[strings.TrimSpace(name+" "+m.GetUnit()+" "+v["error.type"]+v["gen_ai.token.type"])] += p.GetCount()
			if len(p.GetExplicitBounds()) != 14 {
				t.Errorf("%s has the limits %v", name, p.GetExplicitBounds())
			}
		}
	}
	want := map[string]uint64{
		"gen_ai.client.operation.duration s": 2, "gen_ai.client.operation.duration s rejected": 1, "gen_ai.client.operation.duration s truncated": 1,
		"gen_ai.client.operation.time_to_first_chunk s": 2, "gen_ai.client.token.usage {token} input": 2, "gen_ai.client.token.usage {token} output": 2,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("the metrics (-want +got):\n%s", diff)
	}
}

// checkDocs holds docs/monitoring.md to what is exported.
func (c *collector) checkDocs(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(c.metrics))
	for _, s := range c.spans {
		names = slices.AppendSeq(names, maps.Keys(values(s.GetAttributes())))
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/monitoring.md does not know %s", name)
		}
	}
}

// A client that leaves a stream ends its spans, which say so, and that is no provider's error.
func TestTelemetryClientLeaves(t *testing.T) {
	c, u := newCollector(t), newUpstream(t)
	s := start(t, "", append(u.env(), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_METRICS_EXPORTER=none"), "--no-starters")
	resp := s.generate(`{"model":"deepseek-v3","prompt":"Hello","stream":true}`)
	<-u.arrived
	if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	s.stop() // waits for the generation, and exports
	var got []string
	for _, span := range c.spans {
		v := values(span.GetAttributes())
		got = append(got, fmt.Sprintf("%s %s %s%s", strings.Fields(span.GetName())[0], span.GetStatus().GetCode(), v["error.type"], v["elumenta.settlement"]))
	}
	want := []string{"reserve STATUS_CODE_UNSET ", "chat STATUS_CODE_UNSET client_left", "settle STATUS_CODE_UNSET charged", "POST STATUS_CODE_ERROR client_left"}
	if diff := cmp.Diff(want, got); diff != "" || len(c.metrics) > 0 {
		t.Errorf("%d metrics, and the spans (-want +got):\n%s", len(c.metrics), diff)
	}
}

func (c *collector) checkPrivacy(t *testing.T, s *server) {
	t.Helper()
	for _, secret := range []string{canary, s.key, "collectors"} {
		if strings.Contains(c.raw.String(), secret) {
			t.Errorf("%s was exported", secret)
		}
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%s was logged", secret)
		}
	}
	for _, span := range c.spans {
		if strings.Contains(span.GetName(), "readyz") || len(span.GetEvents()) > 0 {
			t.Errorf("the span %s with %d events", span.GetName(), len(span.GetEvents()))
		}
	}
}

// Wrong variables end the program before it serves, without their value; a collector that is away costs a line of the log and no request.
func TestTelemetrySettings(t *testing.T) {
	for variable, names := range map[string]string{
		"OTEL_TRACES_EXPORTER=" + canary: "OTEL_TRACES_EXPORTER takes otlp or none", "OTEL_EXPORTER_OTLP_ENDPOINT=" + canary: "OTEL_EXPORTER_OTLP_ENDPOINT must be",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json": "OTEL_EXPORTER_OTLP_PROTOCOL takes http/protobuf or grpc", "OTEL_RESOURCE_ATTRIBUTES=" + canary: "OTEL_RESOURCE_ATTRIBUTES is not",
	} {
		env := []string{variable}
		if !strings.Contains(variable, "ENDPOINT") {
			env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1")
		}
		if r := invoke(t, env, "", "serve", "--database", "sqlite:x.db", "--addr", "127.0.0.1:0"); r.code == 0 || !strings.Contains(r.err, names) || strings.Contains(r.err, canary) {
			t.Errorf("%s: ended with %d: %s", variable, r.code, r.err)
		}
	}
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		s := start(t, "", []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol, "OTEL_EXPORTER_OTLP_TIMEOUT=200",
			"OTEL_EXPORTER_OTLP_HEADERS=" + canary,
		}, "--no-starters")
		for range 3 {
			resp := s.generate(`{"model":"sandbox","prompt":"Hello"}`)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("with a collector that is away a request gets %d", resp.StatusCode)
			}
		}
		s.stop()
		if log := s.log.String(); strings.Count(log, "OpenTelemetry export") != 1 || strings.Contains(log, canary) {
			t.Errorf("the log with %s:\n%s", protocol, log)
		}
	}
	c := newCollector(t)
	s := start(t, "", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_SDK_DISABLED=true"}, "--no-starters")
	s.get("/docs")
	s.stop()
	if c.raw.Len() > 0 {
		t.Error("a disabled SDK exports")
	}
}
