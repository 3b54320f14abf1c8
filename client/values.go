package client

import (
	"encoding/json"
	"fmt"
)

// Ptr returns a pointer to a value, for fields whose zero value says something: Temperature: client.Ptr(0.0).
func Ptr[T any](v T) *T { return &v }

// Optional is a field of an update. Its zero value leaves the field as it is; [Set] changes it, [Null] takes its value away.
type Optional[T any] struct {
	value *T
	named bool
}

// Set changes a field.
func Set[T any](v T) Optional[T] { return Optional[T]{value: &v, named: true} }

// Null takes a field's value away.
func Null[T any]() Optional[T] { return Optional[T]{named: true} }

// IsZero reports whether the field is left as it is.
func (o Optional[T]) IsZero() bool { return !o.named }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

// Content is what a message says: a text, or parts.
type Content struct {
	Text  string
	Parts []Part // beats Text
}

// Part is a [TextPart] or an [ImagePart].
type Part interface{ part() }

func (TextPart) part()  {}
func (ImagePart) part() {}

// Say returns a text as a message's content.
func Say(text string) Content { return Content{Text: text} }

// MarshalJSON writes a string or a list.
func (c Content) MarshalJSON() ([]byte, error) {
	if c.Parts != nil {
		return json.Marshal(c.Parts)
	}
	return json.Marshal(c.Text)
}

// NewTextPart returns a part that is a text.
func NewTextPart(text string) TextPart { return TextPart{Type: TextPartTypeText, Text: text} }

// NewImagePart returns a part that is an image: data:image/png;base64,… or https://…
func NewImagePart(url string) ImagePart {
	return ImagePart{Type: ImagePartTypeImageURL, ImageURL: Image{URL: url}}
}

// AssistantOrListing is an assistant of one's own, or what others see of one that is published: one of the two is nil.
type AssistantOrListing struct {
	Own     *Assistant
	Listing *Listing
}

// UnmarshalJSON reads the one or the other.
func (a *AssistantOrListing) UnmarshalJSON(b []byte) error {
	var own struct {
		Instructions *string `json:"instructions"`
	}
	if err := json.Unmarshal(b, &own); err != nil {
		return fmt.Errorf("read an assistant: %w", err)
	}
	if own.Instructions == nil {
		a.Listing = new(Listing)
		return json.Unmarshal(b, a.Listing)
	}
	a.Own = new(Assistant)
	return json.Unmarshal(b, a.Own)
}
