package httpapi

import "github.com/elumenta/elumenta"

const (
	roleSystem = "system"
	partText   = "text"
	partImage  = "image_url"
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
	s, ok := g.word(at)
	if !ok {
		return ""
	}
	switch string(s) {
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
	case kind == partText && text != "":
		g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(text)})
	case kind == partImage && image != nil:
		g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartImage, Image: image})
	}
}

func (g *generateReader) partKind(at *fieldPath) string {
	s, ok := g.word(at)
	if !ok {
		return ""
	}
	switch string(s) {
	case partText:
		return partText
	case partImage:
		return partImage
	}
	g.bad(at, "must be text or image_url")
	return ""
}

// oneOf checks that a part has what its type asks for and nothing else.
func (g *generateReader) oneOf(at *fieldPath, kind string, hasKind, hasText, hasImage bool) {
	field := at.child("type")
	wantsText, wantsImage := kind == partText, kind == partImage
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
	}{{partText, hasText, wantsText}, {partImage, hasImage, wantsImage}} {
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

// image reads an image's address.
func (g *generateReader) image(at *fieldPath, s string) *elumenta.Image {
	image, wrong := elumenta.ParseImage(s)
	if wrong != "" {
		g.bad(at, "%s", wrong)
	}
	return image
}
