package httpapi

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

const (
	roleSystem = "system"
	maxURL     = 8 << 10 // bytes of an image's address
)

func (g *generateReader) messages(at *fieldPath, into *conversation) {
	g.array(at, elumenta.MaxMessages, func(i int) {
		item := at.item(i)
		g.message(&item, into)
	})
}

func (g *generateReader) message(at *fieldPath, into *conversation) {
	var role string
	hasRole, hasContent, from := false, false, len(g.parts)
	if !g.object(at, func(name []byte) {
		switch string(name) {
		case "role":
			field := at.child("role")
			hasRole = true
			role = g.role(&field)
		case "content":
			field := at.child("content")
			hasContent = true
			g.contentOf(&field)
		default:
			g.unknown(at, name)
		}
	}) {
		return
	}
	if !hasRole {
		field := at.child("role")
		g.bad(&field, "is required")
	}
	if !hasContent {
		field := at.child("content")
		g.bad(&field, "is required")
	}
	parts := g.taken(from)
	if role == "" || len(parts) == 0 {
		return // said already
	}
	if role != roleSystem {
		into.turns = append(into.turns, elumenta.Turn{Role: elumenta.TurnRole(role), Parts: parts})
		return
	}
	g.systemMessage(at, into, parts)
}

func (g *generateReader) systemMessage(at *fieldPath, into *conversation, parts []elumenta.Part) {
	if len(into.turns) > 0 {
		g.warn(elumenta.WarnSystemMoved, at.String(), "system messages come before the conversation: moved there")
	}
	for i := range parts {
		if parts[i].Kind != elumenta.PartText {
			field := at.child("content")
			item := field.item(i)
			g.bad(&item, "must be a text: the system's message has no images")
		}
		into.system = append(into.system, parts[i].Text)
	}
}

func (g *generateReader) role(at *fieldPath) string {
	s, ok := g.text(at)
	if !ok {
		return ""
	}
	switch s {
	case roleSystem:
		return roleSystem
	case string(elumenta.RoleOfUser):
		return string(elumenta.RoleOfUser)
	case string(elumenta.RoleOfAssistant):
		return string(elumenta.RoleOfAssistant)
	}
	g.bad(at, "must be system, user or assistant")
	return ""
}

// contentOf reads a text or a list of parts.
func (g *generateReader) contentOf(at *fieldPath) {
	if g.broken == nil && g.dec.PeekKind() == '"' {
		if s, ok := g.content(at); ok {
			g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(s)})
		}
		return
	}
	if !g.is(at, '[', "a text or a list of parts") {
		return
	}
	count := 0
	g.array(at, elumenta.MaxParts, func(i int) {
		count++
		item := at.item(i)
		g.part(&item)
	})
	if count == 0 {
		g.bad(at, "must not be empty")
	}
}

func (g *generateReader) part(at *fieldPath) {
	var kind, text string
	var image *elumenta.Image
	var hasText, hasImage, hasKind bool
	if !g.object(at, func(name []byte) {
		switch string(name) {
		case "type":
			field := at.child("type")
			hasKind = true
			kind = g.partKind(&field)
		case "text":
			field := at.child("text")
			hasText = true
			text, _ = g.content(&field)
		case "image_url":
			field := at.child("image_url")
			hasImage = true
			image = g.imageURL(&field)
		default:
			g.unknown(at, name)
		}
	}) {
		return
	}
	g.oneOf(at, kind, hasKind, hasText, hasImage)
	switch {
	case kind == "text" && text != "":
		g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(text)})
	case kind == "image_url" && image != nil:
		g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartImage, Image: image})
	}
}

func (g *generateReader) partKind(at *fieldPath) string {
	s, ok := g.text(at)
	if ok && s != "text" && s != "image_url" {
		g.bad(at, "must be text or image_url")
		return ""
	}
	return s
}

// oneOf checks that a part has what its type asks for and nothing else.
func (g *generateReader) oneOf(at *fieldPath, kind string, hasKind, hasText, hasImage bool) {
	field := at.child("type")
	wantsText, wantsImage := kind == "text", kind == "image_url"
	switch {
	case !hasKind:
		g.bad(&field, "is required")
		return
	case kind == "":
		return // said already
	}
	for _, f := range []struct {
		name      string
		has, want bool
	}{{"text", hasText, wantsText}, {"image_url", hasImage, wantsImage}} {
		field := at.child(f.name)
		switch {
		case f.want && !f.has:
			g.bad(&field, "is required")
		case f.has && !f.want:
			g.bad(&field, "does not go with this type of part")
		}
	}
}

func (g *generateReader) imageURL(at *fieldPath) (image *elumenta.Image) {
	given := false
	ok := g.object(at, func(name []byte) {
		field := at.child(shown(name))
		switch string(name) {
		case "url":
			given = true
			if s, ok := g.text(&field); ok {
				image = g.image(&field, s)
			}
		case "detail":
			if !g.null() {
				_, _ = g.text(&field)
			}
			if !g.detailReported {
				g.detailReported = true
				g.warn(elumenta.WarnImageDetail, field.String(), "the detail of images is not passed on: left out")
			}
		default:
			g.unknown(at, name)
		}
	})
	if ok && !given {
		field := at.child("url")
		g.bad(&field, "is required")
	}
	return image
}

// image takes a data: URL of a real image, or an https URL, which is only ever handed on.
func (g *generateReader) image(at *fieldPath, s string) *elumenta.Image {
	if len(s) >= 5 && strings.EqualFold(s[:5], "data:") {
		return g.inlineImage(at, s[5:])
	}
	if len(s) > maxURL {
		g.bad(at, "must have at most %d bytes, or be a data: URL", maxURL)
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || !visible(s):
		g.bad(at, "must be an https: URL or hold the image itself: send data:image/png;base64,…")
	case u.User != nil:
		g.bad(at, "must not hold a user name or password")
	case !validPort(u.Port()) || !public(u.Hostname()):
		g.bad(at, "must name a public host, or hold the image itself: send data:image/png;base64,…")
	default:
		return &elumenta.Image{URL: elumenta.Text(s)}
	}
	return nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// carrierNAT is shared address space (RFC 6598).
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether a host may be on the internet, as far as it can be told without looking it up: a provider
// beside this server must not be sent into its network.
func public(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsGlobalUnicast() && !addr.IsPrivate() && !carrierNAT.Contains(addr)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	dot := strings.LastIndexByte(host, '.')
	switch last := host[dot+1:]; last {
	case "localhost", "local", "internal":
		return false
	default: // a number at the end makes an address of it, in whatever notation (https://url.spec.whatwg.org/#ends-in-a-number-checker)
		return dot >= 0 && last != "" && (last[0] < '0' || last[0] > '9')
	}
}

func (g *generateReader) inlineImage(at *fieldPath, s string) *elumenta.Image {
	head, data, ok := strings.Cut(s, ",")
	media, encoding, _ := strings.Cut(strings.ToLower(head[:min(len(head), 64)]), ";")
	if media == "image/jpg" {
		media = "image/jpeg"
	}
	switch {
	case !ok || strings.TrimSpace(encoding) != "base64":
		g.bad(at, "must be in base64: data:image/png;base64,…")
	case media != "image/png" && media != "image/jpeg" && media != "image/gif" && media != "image/webp":
		g.bad(at, "must be an image/png, image/jpeg, image/gif or image/webp")
	case !validBase64(data):
		g.bad(at, "is not valid base64")
	default:
		if found := sniff(data); found == media {
			return &elumenta.Image{MediaType: media, Data: elumenta.Text(data)}
		}
		g.bad(at, "does not hold an image of the type %s", media)
	}
	return nil
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
