package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// builder lays the sources over each other, the weakest first, and gathers what is wrong with each.
type builder struct {
	*Config
	doc      *document
	getenv   func(string) string
	problems Problems
}

// at reports a mistake in the file, with its line.
func (b *builder) at(path, format string, args ...any) {
	b.problems = append(b.problems, Problem{Source: b.doc.source, Line: b.doc.line(path), Key: path, Reason: fmt.Sprintf(format, args...)})
}

// missing reports a setting that is not there. One that is there but was refused has been reported already.
func (b *builder) missing(path, key, reason string) {
	if _, there := b.doc.lines[join(path, key)]; !there {
		b.at(path, "%s", reason)
	}
}

// in returns a reporter for mistakes in a flag or an environment variable.
func (b *builder) in(source string) func(format string, args ...any) {
	return func(format string, args ...any) {
		b.problems = append(b.problems, Problem{Source: source, Reason: fmt.Sprintf(format, args...)})
	}
}

// report returns a reporter for mistakes at one place in the file.
func (b *builder) report(path string) func(format string, args ...any) {
	return func(format string, args ...any) { b.at(path, format, args...) }
}

func (b *builder) file(f *file) {
	setString(&b.Addr, f.Addr, checkAddr, b.report("addr"))
	setString(&b.Database, f.Database, checkDatabase, b.report("database"))
	setString(&b.MetricsAddr, f.MetricsAddr, optional(checkAddr), b.report("metrics_addr"))
	if f.TrustedProxies != nil {
		b.TrustedProxies = prefixes(*f.TrustedProxies, func(i int) func(string, ...any) { return b.report(fmt.Sprintf("trusted_proxies[%d]", i)) })
	}
	if f.CORSOrigins != nil {
		b.CORSOrigins = origins(*f.CORSOrigins, func(i int) func(string, ...any) { return b.report(fmt.Sprintf("cors_origins[%d]", i)) })
	}
	setDuration(&b.DrainDelay, f.DrainDelay)
	setDuration(&b.DrainTimeout, f.DrainTimeout)
	setString(&b.TLSCert, f.TLS.Cert, nil, nil)
	setString(&b.TLSKey, f.TLS.Key, nil, nil)
	setString(&b.Log.Format, f.Log.Format, checkFormat, b.report("log.format"))
	setLevel(&b.Log.Level, f.Log.Level, b.report("log.level"))
	b.limits(&f.Limits)
	setDuration(&b.KeepRecords, (*duration)(f.Usage.KeepRecords))
	b.deniedNames(f.Marketplace.DeniedNames)
	setBool(&b.Starters, f.Marketplace.Starters)
	setBool(&b.UpdateStarters, f.Marketplace.UpdateStarters)
	b.plans(f)
	b.providers(f.Providers)
	b.models(f.Models)
}

func setBool(to, from *bool) {
	if from != nil {
		*to = *from
	}
}

func (b *builder) deniedNames(entries *[]string) {
	if entries == nil {
		return
	}
	const path = "marketplace.denied_names"
	if len(*entries) > elumenta.MaxDeniedNames {
		b.at(path, "must have at most %d entries, has %d", elumenta.MaxDeniedNames, len(*entries))
		return
	}
	var bad []int
	b.DeniedNames, bad = elumenta.NewDeniedNames(*entries)
	for _, i := range bad {
		b.at(fmt.Sprintf("%s[%d]", path, i), "must have 1 to %d characters, a letter, digit or symbol among them", elumenta.MaxName)
	}
}

func (b *builder) limits(f *fileLimits) {
	for key, d := range map[string]*duration{"first_piece": f.FirstPiece, "between_pieces": f.BetweenPieces, "generation": f.Generation} {
		if d != nil && *d == 0 {
			b.at("limits."+key, "must be above 0")
		}
	}
	setDuration(&b.Limits.FirstPiece, f.FirstPiece)
	setDuration(&b.Limits.BetweenPieces, f.BetweenPieces)
	setDuration(&b.Limits.Generation, f.Generation)
	setSize(&b.Limits.GenerateBody, f.GenerateBody)
	setSize(&b.Limits.AssistantBody, f.AssistantBody)
	setSize(&b.Limits.OtherBody, f.OtherBody)
	if f.AssistantStorage != nil {
		b.Limits.AssistantStorage = int64(*f.AssistantStorage)
	}
	b.setCount(&b.Limits.RequestsPerMinute, f.RequestsPerMinute, "limits.requests_per_minute")
	b.setCount(&b.Limits.RetryBudgetPercent, f.RetryBudget, "limits.retry_budget_percent")
	b.withoutEffect(f)
	open := int64(-1)
	b.setCount(&open, f.OpenGenerations, "limits.open_generations")
	for i := range b.Plans {
		if open >= 0 && !b.Plans[i].Unlimited {
			b.Plans[i].OpenGenerations = open
		}
	}
}

// mostRetries is how many calls one request can cause after its first.
const mostRetries = elumenta.MaxRoutes*elumenta.MaxProviderKeys - 1

// withoutEffect refuses limits that could never be reached: whoever set them meant something else. What the file does not set is left
// alone, so that one of them may be lowered without the others.
func (b *builder) withoutEffect(f *fileLimits) {
	if b.Limits.RetryBudgetPercent > 100*mostRetries {
		b.at("limits.retry_budget_percent", "must be at most %d: a request has %d routes and keys to call at most", 100*mostRetries, mostRetries+1)
	}
	for key, d := range map[string]*duration{"first_piece": f.FirstPiece, "between_pieces": f.BetweenPieces} {
		if d != nil && time.Duration(*d) > b.Limits.Generation && b.Limits.Generation > 0 {
			b.at("limits."+key, "must be at most limits.generation, %v, which ends the whole", b.Limits.Generation)
		}
	}
}

func (b *builder) overrides(o Overrides) {
	flag := func(name string) func(string, ...any) {
		return b.in("--" + name + " (ELUMENTA_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + ")")
	}
	setString(&b.Addr, set(o.Addr), checkAddr, flag("addr"))
	setString(&b.Database, set(o.Database), checkDatabase, flag("database"))
	setString(&b.MetricsAddr, set(o.MetricsAddr), checkAddr, flag("metrics-addr"))
	setString(&b.TLSCert, set(o.TLSCert), nil, nil)
	setString(&b.TLSKey, set(o.TLSKey), nil, nil)
	setString(&b.Log.Format, set(o.LogFormat), checkFormat, flag("log-format"))
	setLevel(&b.Log.Level, set(o.LogLevel), flag("log-level"))
	if len(o.TrustedProxies) > 0 {
		b.TrustedProxies = prefixes(o.TrustedProxies, func(int) func(string, ...any) { return flag("trusted-proxies") })
	}
	if len(o.CORSOrigins) > 0 {
		b.CORSOrigins = origins(o.CORSOrigins, func(int) func(string, ...any) { return flag("cors-origins") })
	}
	if o.NoStarters {
		b.Starters = false
	}
	for name, d := range map[string]struct{ from, to *time.Duration }{
		"drain-delay": {o.DrainDelay, &b.DrainDelay}, "drain-timeout": {o.DrainTimeout, &b.DrainTimeout},
	} {
		if d.from == nil {
			continue
		}
		if *d.from < 0 {
			flag(name)("must not be negative")
		}
		*d.to = *d.from
	}
}

// whole checks what only the sources together can tell.
func (b *builder) whole() {
	if (b.TLSCert == "") != (b.TLSKey == "") {
		b.in("tls")("needs both a certificate and a key: give --tls-cert and --tls-key, or neither")
	}
	if b.MetricsAddr != "" && sameAddr(b.MetricsAddr, b.Addr) {
		b.in("metrics-addr")("is the address of the API itself, or its port on all addresses; leave it out to have /metrics there, or give it another port")
	}
}

// sameAddr reports whether two addresses cannot both be listened on. Port 0 is any that is free.
func sameAddr(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if a == b || errA != nil || errB != nil {
		return a == b
	}
	return portA == portB && portA != "0" && (hostA == hostB || covers(hostA, hostB) || covers(hostB, hostA))
}

// covers reports whether listening on one host takes the ports of another: 0.0.0.0 has those of IPv4 alone.
func covers(all, host string) bool {
	ip, err := netip.ParseAddr(all)
	if err != nil || !ip.IsUnspecified() {
		return all == ""
	}
	return ip.Is6() || !strings.Contains(host, ":")
}

func set(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func setString(field *string, v *string, check func(string) string, report func(string, ...any)) {
	if v == nil {
		return
	}
	if check != nil {
		if reason := check(*v); reason != "" {
			report("%s", reason)
			return
		}
	}
	*field = *v
}

func optional(check func(string) string) func(string) string {
	return func(s string) string {
		if s == "" {
			return ""
		}
		return check(s)
	}
}

func setDuration(field *time.Duration, v *duration) {
	if v != nil {
		*field = time.Duration(*v)
	}
}

func setSize(field *int64, v *size) {
	if v != nil {
		*field = int64(*v)
	}
}

func setLevel(field *slog.Level, v *string, report func(string, ...any)) {
	if v == nil {
		return
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[*v]
	if !ok {
		report("must be debug, info, warn or error")
		return
	}
	*field = level
}

func (b *builder) setCount(field *int64, v *int64, path string) {
	switch {
	case v == nil:
	case *v < 0:
		b.at(path, "must not be negative")
	default:
		*field = *v
	}
}

func checkAddr(s string) string {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return `must be HOST:PORT, such as "127.0.0.1:8080" or ":8080"`
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "must have a port from 0 to 65535"
	}
	return ""
}

// checkDatabase never repeats what it was given: a URL may hold a password.
func checkDatabase(s string) string {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		if path == "" {
			return "must name a file: sqlite:PATH"
		}
		return ""
	}
	if strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://") {
		if _, err := url.Parse(s); err != nil {
			return "is not a valid URL: postgres://USER:PASSWORD@HOST/DATABASE, with special characters of the password percent-encoded"
		}
		return ""
	}
	return "must be sqlite:PATH or postgres://…"
}

func checkFormat(s string) string {
	if s != "text" && s != "json" {
		return "must be text or json"
	}
	return ""
}

func prefixes(list []string, report func(int) func(string, ...any)) []netip.Prefix {
	var out []netip.Prefix
	for i, s := range list {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		} else if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		} else {
			report(i)("must be addresses or CIDR ranges, such as 10.0.0.0/8; %q is neither", s)
		}
	}
	return out
}

// browserOrigin is how browsers write a URL's origin: in small letters, without the scheme's own port.
func browserOrigin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

func origins(list []string, report func(int) func(string, ...any)) []string {
	var out []string
	for i, s := range list {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if s != "*" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != s || s != browserOrigin(u)) {
			report(i)(`must be origins as browsers send them, such as https://app.example.com, or "*"; %q is not`, s)
			continue
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
