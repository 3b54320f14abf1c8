package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFirstStart(t *testing.T) {
	s := start(t, "", nil)
	printed := s.out()
	if n := strings.Count(printed, "curl"); n != 1 {
		t.Errorf("%d curl lines in %s", n, printed)
	}
	if strings.Contains(s.log.String(), s.key) {
		t.Error("the key is in the log")
	}
	line := regexp.MustCompile(`(?m)^ {2}(curl .*)$`).FindStringSubmatch(printed)
	if _, err := exec.LookPath("curl"); err != nil || line == nil {
		t.Fatalf("curl: %v, line %q", err, line)
	}
	out, err := exec.Command("sh", "-c", line[1]).Output()
	if err != nil || !strings.Contains(string(out), `"content":"This is the sandbox`) {
		t.Errorf("%v: %s", err, out)
	}
	talk := exec.Command("sh", "-c", printed[strings.Index(printed, "  export "):])
	talk.Dir, talk.Env, talk.Stdin = t.TempDir(), append(os.Environ(), programVariable+"=1"), strings.NewReader("Ahoy")
	if out, err := talk.CombinedOutput(); err != nil || !strings.Contains(string(out), `the assistant "Pirate". Your last message was: Ahoy`) {
		t.Errorf("%v: %s", err, out)
	}
	s.stop()
	again := start(t, s.database, nil)
	if again.out() != "" {
		t.Errorf("a second start prints %s", again.out())
	}
	again.key = s.key
	resp := again.generate(`{"model": "sandbox", "prompt": "Hello"}`)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the first start's key: %d", resp.StatusCode)
	}
	again.stop()
}

func TestBootstrapKey(t *testing.T) {
	key := newKey()
	database := "sqlite:" + filepath.Join(t.TempDir(), "e.db")
	s := start(t, database, []string{"ELUMENTA_BOOTSTRAP_KEY=" + key})
	if s.out() != "" || strings.Contains(s.log.String(), key) {
		t.Errorf("the key is printed: %s%s", s.out(), s.log)
	}
	s.key = key
	resp := s.generate(`{"model": "sandbox", "prompt": "word by word", "stream": true}`)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || strings.Count(string(body), "content_delta") < 3 || !strings.HasSuffix(string(body), "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, body)
	}
	s.stop()
	// Later it is the key of an account, or of none, which is said.
	for given, warned := range map[string]bool{key: false, newKey(): true} {
		s := start(t, database, []string{"ELUMENTA_BOOTSTRAP_KEY=" + given})
		if strings.Contains(s.log.String(), "ELUMENTA_BOOTSTRAP_KEY is not used") != warned || strings.Contains(s.log.String(), given) {
			t.Errorf("warned should be %t: %s", warned, s.log)
		}
		s.stop()
	}
}

// Accounts that were made before the first start leave nobody who operates the installation, which is said until somebody does.
func TestStartWithoutAnOperator(t *testing.T) {
	const warning = "no account is an operator: elumenta accounts role ACCT admin"
	b := newBooks(t)
	s := start(t, b.database, nil, "--no-starters")
	if !strings.Contains(s.log.String(), warning) {
		t.Errorf("nothing says so: %s", s.log)
	}
	s.stop()
	b.must("accounts", "role", b.account, "admin")
	s = start(t, b.database, nil, "--no-starters")
	if strings.Contains(s.log.String(), warning) {
		t.Errorf("there is one: %s", s.log)
	}
	s.stop()
}

func TestStartFailsWithOneClearLine(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("addr = 1\n\n[log]\nlvl = \"info\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(dir, "e.db")
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		want []string
	}{
		"port in use":          {nil, []string{"--addr", taken.Addr().String()}, 1, []string{taken.Addr().String() + " is already in use", "--addr"}},
		"metrics port in use":  {nil, []string{"--addr", "127.0.0.1:0", "--metrics-addr", taken.Addr().String()}, 1, []string{"already in use", "--metrics-addr"}},
		"address not here":     {nil, []string{"--addr", "192.0.2.1:0"}, 1, []string{"192.0.2.1", "--addr"}},
		"unwritable database":  {nil, []string{"--addr", "127.0.0.1:0", "--database", "sqlite:/nonexistent/e.db"}, 1, []string{"/nonexistent"}},
		"database of no kind":  {nil, []string{"--database", "oracle://x"}, 2, []string{"--database (ELUMENTA_DATABASE)", "sqlite:PATH or postgres://"}},
		"malformed first key":  {[]string{"ELUMENTA_BOOTSTRAP_KEY=nb_secretish"}, nil, 2, []string{"ELUMENTA_BOOTSTRAP_KEY"}},
		"mistakes in the file": {nil, []string{"--config", bad}, 2, []string{bad + ":1: addr must be a string", bad + ":4: log.lvl is not a known setting"}},
		"no file":              {nil, []string{"--config", filepath.Join(dir, "none.toml")}, 2, []string{"none.toml: cannot be read"}},
		"no certificate":       {nil, []string{"--tls-cert", filepath.Join(dir, "c.pem"), "--tls-key", key}, 2, []string{"c.pem", "PEM"}},
		"another key":          {nil, []string{"--tls-cert", cert, "--tls-key", otherKey}, 2, []string{cert, otherKey, "belong together"}},
		"half of TLS":          {nil, []string{"--tls-cert", cert}, 2, []string{"--tls-cert and --tls-key"}},
		"unknown flag":         {nil, []string{"--listen", "x"}, 2, []string{"--listen", "--help"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"serve"}, c.args...)
			if !strings.Contains(strings.Join(args, " "), "--database") {
				args = append(args, "--database", database)
			}
			r := invoke(t, c.env, "", args...)
			if r.code != c.code || r.out != "" || strings.Contains(r.err, "goroutine") || strings.Contains(r.err, "secretish") {
				t.Errorf("ended with %d, want %d; %s%s", r.code, c.code, r.out, r.err)
			}
			for _, want := range c.want {
				if !strings.Contains(r.err, want) {
					t.Errorf("does not say %q: %s", want, r.err)
				}
			}
		})
	}
}

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	return certificateUntil(t, time.Now().Add(time.Hour))
}

func certificateUntil(t *testing.T, end time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: end, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLSAndHTTP2(t *testing.T) {
	cert, key := certificate(t)
	s := start(t, "", nil, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal(s.url)
	}
	root, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(s.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK {
		t.Errorf("%s %d", resp.Proto, resp.StatusCode)
	}
}

func TestMetricsHaveOneAddress(t *testing.T) {
	s := start(t, "", nil)
	if status, body := s.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "elumenta_build_info") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("%d %s", status, body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if id := resp.Header.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") {
		t.Errorf("X-Request-Id %q", id)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	apart := start(t, "", nil, "--metrics-addr", addr)
	if status, _ := apart.get("/metrics"); status != http.StatusNotFound {
		t.Errorf("on the API's address: %d", status)
	}
	apart.url = "http://" + addr
	if status, body := apart.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "elumenta_build_info") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := apart.get("/readyz"); status != http.StatusNotFound {
		t.Errorf("the API is served on the metrics' address: %d", status)
	}
	apart.stop()
}

// A request that runs when the signal comes is answered to its end.
func TestDrainLetsRequestsEnd(t *testing.T) {
	u := newUpstream(t)
	s := start(t, "", u.env())
	resp := s.generate(`{"model": "deepseek-v3", "prompt": "Hello", "stream": true}`)
	defer func() { _ = resp.Body.Close() }()
	<-u.arrived
	s.signal(syscall.SIGTERM)
	u.release <- struct{}{}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), " second half") || !strings.Contains(string(body), "generation_end") {
		t.Errorf("%v: %s", err, body)
	}
	<-s.ended
	if s.code != 0 {
		t.Errorf("ended with %d", s.code)
	}
}

// What outlasts the drain timeout is told so, and the program still ends well.
func TestDrainTimeout(t *testing.T) {
	u := newUpstream(t)
	s := start(t, "", u.env(), "--drain-timeout", "50ms")
	resp := s.generate(`{"model": "deepseek-v3", "prompt": "Hello", "stream": true}`)
	defer func() { _ = resp.Body.Close() }()
	<-u.arrived
	s.signal(syscall.SIGINT)
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), `"error":"service_unavailable"`) || !strings.HasSuffix(string(body), "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, body)
	}
	<-s.ended
	if s.code != 0 {
		t.Errorf("ended with %d", s.code)
	}
}

// During the drain delay the node is not ready and still answers; a second signal ends it at once.
func TestDrainDelayAndSecondSignal(t *testing.T) {
	s := start(t, "", nil, "--drain-delay", "1h")
	if status, _ := s.get("/readyz"); status != http.StatusOK {
		t.Fatalf("not ready: %d", status)
	}
	s.signal(syscall.SIGTERM)
	for status := http.StatusOK; status != http.StatusServiceUnavailable; {
		status, _ = s.get("/readyz") // the signal takes a moment to arrive
	}
	if status, _ := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("not alive while it drains: %d", status)
	}
	resp := s.generate(`{"model": "sandbox", "prompt": "Hello"}`)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("refused while it drains: %d", resp.StatusCode)
	}
	s.signal(syscall.SIGTERM)
	<-s.ended
}

func TestOllamaModelOfTheConfiguration(t *testing.T) {
	u := newUpstream(t)
	u.release <- struct{}{}
	file := filepath.Join(t.TempDir(), "e.toml")
	if err := os.WriteFile(file, []byte("[[models]]\nslug = \"llama3.2:3b\"\nprovider = \"ollama\"\ntoken_cost = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "", []string{"OLLAMA_HOST=" + u.URL}, "--config", file)
	resp := s.generate(`{"model": "llama3.2:3b", "prompt": "Hello", "stream": true}`)
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "first half") {
		t.Errorf("%v: %s", err, body)
	}
}
