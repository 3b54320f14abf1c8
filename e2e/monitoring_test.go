package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/elumenta/elumenta/store/storetest"
)

const (
	alertsFile     = "../deploy/prometheus/alerts.yaml"
	alertTestsFile = "../deploy/prometheus/alerts_test.yaml"
	dashboardFile  = "../deploy/grafana/elumenta.json"
)

type alertRule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alertRules(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alertRule }
	}
	if err := yaml.Unmarshal(readFile(t, alertsFile), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

type dashboard struct {
	Annotations struct {
		List []struct{ Name, Expr string }
	}
	Templating struct {
		List []variable
	}
	Panels []panel
}

type variable struct {
	Name, Type, Definition string
	Query                  any // text for a data source, otherwise an object with the text of Definition
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		Expr       string
		Datasource struct{ UID string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, dashboardFile), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// queries are all expressions by the place where they stand, with values for Grafana's variables.
func (d *dashboard) queries() map[string]string {
	all := map[string]string{}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*")
	for _, a := range d.Annotations.List {
		all["annotation "+a.Name] = fill.Replace(a.Expr)
	}
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %q, query %d", p.Title, i+1)] = fill.Replace(target.Expr)
		}
	}
	return all
}

var (
	seriesLine = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)
	labelPair  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"`)
	selector   = regexp.MustCompile(`\b((?:elumenta|go|process)_[a-z_]+|up)\b(?:\{((?:"(?:[^"\\]|\\.)*"|[^"}])*)\})?`)
	labelList  = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
)

// scraped is what the program says at /metrics: the labels of each series, by its name.
func (s *server) scraped(t *testing.T) map[string][]map[string]string {
	t.Helper()
	all := map[string][]map[string]string{"up": {{"job": "elumenta", "instance": "a"}}}
	for _, line := range seriesLine.FindAllStringSubmatch(string(s.must(t, http.StatusOK, "GET", "/metrics", nil).body), -1) {
		labels := map[string]string{"job": "elumenta", "instance": "a"} // Prometheus adds them
		for _, pair := range labelPair.FindAllStringSubmatch(line[2], -1) {
			labels[pair[1]] = pair[3]
		}
		all[line[1]] = append(all[line[1]], labels)
	}
	return all
}

// checkSelectors finds names and labels in a query that the program does not have, and routes that it does not serve.
func checkSelectors(t *testing.T, where, query string, series map[string][]map[string]string) {
	t.Helper()
	found := selector.FindAllStringSubmatch(query, -1)
	if len(found) == 0 {
		t.Errorf("%s names no metric: %s", where, query)
	}
	known := map[string]bool{}
	for _, s := range found {
		of := series[s[1]]
		if len(of) == 0 {
			t.Errorf("%s: the program has no metric %s", where, s[1])
			continue
		}
		for label := range of[0] {
			known[label] = true
		}
		for _, m := range labelPair.FindAllStringSubmatch(s[2], -1) {
			if _, ok := of[0][m[1]]; !ok {
				t.Errorf("%s: %s has no label %s", where, s[1], m[1])
			}
			if m[1] == "route" && !slices.ContainsFunc(of, func(l map[string]string) bool { return matches(l["route"], m[2], m[3]) }) {
				t.Errorf("%s: no route %s %s", where, m[2], m[3])
			}
		}
	}
	for _, list := range labelList.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(list[1], ", ") {
			if !known[label] {
				t.Errorf("%s: no metric in it has the label %q", where, label)
			}
		}
	}
}

func matches(value, operator, pattern string) bool {
	pattern = strings.ReplaceAll(pattern, `\\`, `\`)
	if operator == "=" || operator == "!=" {
		pattern = regexp.QuoteMeta(pattern)
	}
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(value) // of a negative matcher, what it leaves out must be there
}

// What alerts and dashboard ask for is what the program has: whoever renames a metric, a label or a route is told.
func TestMonitoringNamesWhatIsMeasured(t *testing.T) {
	u := newUpstream(t)
	o := twoRoutes(t, u)
	o.database, o.env = storetest.Postgres(t), append(o.env, u.env()...)
	s := start(t, o)
	s.must(t, http.StatusOK, "POST", "/api/v2/generate", map[string]any{"model": "routed", "prompt": "hi"})
	id := s.createAssistant(t, "deepseek-v3", "Be brief.")
	s.must(t, http.StatusOK, "POST", "/api/v2/generate", generateWith(id))
	u.answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		http.Error(w, "{}", http.StatusInternalServerError)
	})
	s.must(t, http.StatusBadGateway, "POST", "/api/v2/generate", generateWith(id))
	for _, path := range []string{"/api/v2/assistants", "/api/v2/assistants/" + id, "/healthz", "/readyz"} {
		s.must(t, http.StatusOK, "GET", path, nil)
	}
	series := s.scraped(t)
	for _, r := range alertRules(t) {
		checkSelectors(t, r.Alert, r.Expr, series)
	}
	d := readDashboard(t)
	for where, query := range d.queries() {
		checkSelectors(t, where, query, series)
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			checkSelectors(t, "variable "+v.Name, v.Definition, series)
		}
	}
}

// Each alert says what happened and what to do, and is tested.
func TestAlertsAreWhole(t *testing.T) {
	tests := string(readFile(t, alertTestsFile))
	seen := map[string]bool{}
	for _, r := range alertRules(t) {
		if seen[r.Alert] {
			t.Errorf("two alerts are called %s", r.Alert)
		}
		seen[r.Alert] = true
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s lacks a summary or a description", r.Alert)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if !strings.Contains(tests, `{alertname="`+r.Alert+`"`) {
			t.Errorf("%s is not tested", r.Alert)
		}
	}
}

// The dashboard works with any data source, and its panels stand beside each other.
func TestDashboardIsWhole(t *testing.T) {
	d := readDashboard(t)
	if i := slices.IndexFunc(d.Templating.List, func(v variable) bool { return v.Name == "datasource" }); i < 0 || d.Templating.List[i].Type != "datasource" || d.Templating.List[i].Query != "prometheus" {
		t.Error("there is no variable for the data source")
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Title == "" || ids[p.ID] {
			t.Errorf("panel %d %q: no title, or two with this id", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q stands over %q or outside", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q lacks a description, the data source's variable or a query", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q: a query of data source %q", p.Title, target.Datasource.UID)
			}
		}
	}
}

// Prometheus itself reads the rules and every query of the dashboard, and the alerts do what their tests say.
func TestPrometheusReadsAlertsAndDashboard(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	var rules []map[string]string
	d := readDashboard(t)
	for _, query := range d.queries() {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("query_%d", len(rules)), "expr": query})
	}
	raw, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	queries := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(queries, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", alertsFile}, {"check", "rules", queries}, {"test", "rules", alertTestsFile}} {
		if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
