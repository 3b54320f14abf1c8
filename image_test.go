package elumenta_test

import (
	"testing"

	"github.com/elumenta/elumenta"
)

// TestImageHosts: no address within a network is passed on, in whatever way a fetcher may come to it.
func TestImageHosts(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://example.com/a.png":         true,
		"https://xn--r8jz45g.jp/a.png":      true,
		"https://8.8.8.8/a.png":             true,
		"https://[2606:4700::1111]/a.png":   true,
		"https://example.com/%EF%BC%91.png": true,

		"https://127.0.0.1/a": false, "https://localhost/a": false, "https://metadata.google.internal/a": false, "https://0x7f.1/a": false,
		"https://[64:ff9b::a9fe:a9fe]/a": false, "https://[64:ff9b::a9fe:a9fe%25x]/a": false, "https://[::7f00:1%25x]/a": false, "https://[fec0::1%25x]/a": false,
		"https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.%EF%BC%91/a": false, // 127.0.0.1 in full-width digits
		"https://169.254.169.%E2%91%A0/a":                     false,
		"https://metadata.google.%E2%93%98nternal/a":          false,
		"https://x.localhos%EF%BD%94/a":                       false,
		"https://127%E3%80%820.0.%EF%BC%91/a":                 false,
	} {
		if _, wrong := elumenta.ParseImage(url); (wrong == "") != ok {
			t.Errorf("%s: %q", url, wrong)
		}
	}
}
