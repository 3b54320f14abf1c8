package elumenta

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxImageURL = 8 << 10 // bytes of an image's address

// ParseImage reads an image's address: a data: URL that holds a PNG, JPEG, GIF or WebP image in base64, or an https URL of a public host,
// which is only ever handed on. wrong says what is wrong with it, and is empty where nothing is.
func ParseImage(s string) (image *Image, wrong string) {
	if len(s) >= 5 && strings.EqualFold(s[:5], "data:") {
		head, data, ok := strings.Cut(s[5:], ",")
		media, encoding, _ := strings.Cut(strings.ToLower(head[:min(len(head), 64)]), ";")
		if !ok || strings.TrimSpace(encoding) != "base64" {
			return nil, "must be in base64: data:image/png;base64,…"
		}
		return NewImage(media, data)
	}
	if len(s) > maxImageURL {
		return nil, fmt.Sprintf("must have at most %d bytes, or be a data: URL", maxImageURL)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || !visible(s):
		return nil, "must be an https: URL or hold the image itself: send data:image/png;base64,…"
	case u.User != nil:
		return nil, "must not hold a user name or password"
	case !validPort(u.Port()) || !public(u.Hostname()):
		return nil, "must name a public host, or hold the image itself: send data:image/png;base64,…"
	}
	return &Image{URL: Text(s)}, ""
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// special are addresses that look global and are not (https://www.iana.org/assignments/iana-ipv4-special-registry, and its IPv6 twin), or
// hold another one: shared address space, this network, benchmarks, documentation, reserved; and of IPv6 site-local, discard-only,
// Teredo, documentation, 6to4, NAT64 and IPv4-compatible.
var special = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// public reports whether a host may be on the internet, as far as it can be told without looking it up: a provider
// beside this server must not be sent into its network.
func public(host string) bool {
	if strings.ContainsFunc(host, func(r rune) bool { return r == '%' || r > '~' }) {
		return false // a zone, or letters that a fetcher maps to others (https://www.unicode.org/reports/tr46): names have an xn-- form
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsGlobalUnicast() && !addr.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	dot := strings.LastIndexByte(host, '.')
	switch last := host[dot+1:]; last {
	case "localhost", "local", "internal", "lan", "localdomain", "home", "corp", "intranet", "private":
		return false
	case "arpa": // home.arpa is a network's own (RFC 8375), the others name no hosts
		return false
	default: // a number at the end makes an address of it, in whatever notation (https://url.spec.whatwg.org/#ends-in-a-number-checker)
		return dot >= 0 && last != "" && (last[0] < '0' || last[0] > '9')
	}
}

// NewImage is an image that is given as base64 of a media type. wrong says what is wrong with it, and is empty where nothing is.
func NewImage(media, data string) (image *Image, wrong string) {
	if media == "image/jpg" {
		media = "image/jpeg"
	}
	switch {
	case media != "image/png" && media != "image/jpeg" && media != "image/gif" && media != "image/webp":
		return nil, "must be an image/png, image/jpeg, image/gif or image/webp"
	case !validBase64(data):
		return nil, "is not valid base64"
	case sniff(data) != media:
		return nil, "does not hold an image of the type " + media
	}
	return &Image{MediaType: media, Data: Text(data)}, ""
}

// validBase64 checks padded standard base64 without decoding it.
func validBase64(s string) bool {
	if s == "" || len(s)%4 != 0 {
		return false
	}
	body := strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	for i := range len(body) {
		if !base64Digit[body[i]] {
			return false
		}
	}
	return true
}

var base64Digit = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = true
	}
	return t
}()

// sniff tells an image's type by its first bytes (https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern).
func sniff(data string) string {
	b, err := base64.StdEncoding.DecodeString(data[:min(len(data), 16)])
	if err != nil {
		return ""
	}
	s := string(b)
	switch {
	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case strings.HasPrefix(s, "\xff\xd8\xff"):
		return "image/jpeg"
	case strings.HasPrefix(s, "GIF87a"), strings.HasPrefix(s, "GIF89a"):
		return "image/gif"
	case len(s) >= 12 && strings.HasPrefix(s, "RIFF") && s[8:12] == "WEBP":
		return "image/webp"
	}
	return ""
}

// visible reports whether a text has only visible ASCII characters, and one at least.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
