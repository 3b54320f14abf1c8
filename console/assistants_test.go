package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

// form is a filled form of the editor, with changes: names and values.
func form(changes ...string) url.Values {
	f := url.Values{
		"name": {"Pirate"}, "model": {"sandbox"}, "instructions": {"You are a pirate.\r\nSay {{name}}."}, "description": {"Speaks like a pirate."},
		"category": {"entertainment"}, "temperature": {"0.5"}, "variable_name": {"name", ""}, "variable_description": {"who", ""}, "variable_default": {"matey", ""},
		"metadata_key": {"team", ""}, "metadata_value": {"sea", ""},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		f.Set(changes[i], changes[i+1])
	}
	return f
}

func (b *browser) make(t *testing.T, f url.Values) (id string) {
	t.Helper()
	made := b.post("assistants/new", f)
	if made.status != http.StatusSeeOther {
		t.Fatalf("status %d:\n%s", made.status, made.body)
	}
	return strings.TrimPrefix(made.header.Get("Location"), console.Base+"assistants/")
}

func TestEditor(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.get("assistants/new").ok("New assistant", "not available here")
	b.post("assistants/new", form("name", "", "temperature", "hot")).is(http.StatusUnprocessableEntity, "must be a number", "You are a pirate.")
	b.post("assistants/new", form("name", "")).is(http.StatusUnprocessableEntity, `id="name-error"`, "You are a pirate.")
	b.post("assistants/new", form("response_format", "{")).is(http.StatusUnprocessableEntity, "is not JSON")
	id := b.make(t, form())
	b.get("assistants/"+id).ok("Created.", "You are a pirate.\nSay {{name}}.", "\nmatey</textarea>", `value="team"`, `value="0.5"`, id)
	b.get("assistants").ok("Pirate", "Private")
	b.get("assistants?q=pira").ok("Pirate")
	b.get("assistants?q=nobody").ok().without("Pirate")

	b.post("assistants/"+id, form("version", "1", "instructions", "You are a captain.", "note", "promoted")).to(console.Base + "assistants/" + id)
	b.post("assistants/"+id, form("version", "1", "instructions", "You are a parrot.")).is(http.StatusPreconditionFailed, "Version 2 was saved", "You are a parrot.", "<del", "<ins", `name="version" value="2"`)
	b.get("assistants/"+id+"/versions").ok("promoted", "newest")
	b.get("assistants/"+id+"/versions/1").ok("You are a pirate.", "You are a captain.", "Make it the newest again")
	b.get("assistants/" + id + "/versions/9").is(http.StatusNotFound)
	b.post("assistants/"+id+"/versions/1/restore", nil).to(console.Base + "assistants/" + id)
	b.get("assistants/"+id).ok("Restored", "You are a pirate.")
	b.get("assistants/" + id + "/versions/1/withdraw").ok("calls that pin it fail at once")
	b.post("assistants/"+id+"/versions/1/withdraw", nil).to(console.Base + "assistants/" + id + "/versions")
	b.get("assistants/" + id + "/versions/1").is(http.StatusNotFound)
	if strings.Contains(s.log.String(), "pirate") {
		t.Error("instructions are in the log")
	}
}

// What was typed is shown again, whatever it is, and what was saved comes back as it was: a save without a change makes no version.
func TestEditorLosesNothing(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	wrong := form("temperature", "hot", "max_tokens", "1e9", "response_format", "{")
	wrong["variable_name"], wrong["variable_description"] = []string{"name", ""}, []string{"who", "what this is for"}
	wrong["metadata_key"], wrong["metadata_value"] = []string{"team", ""}, []string{"sea", "keyless"}
	b.post("assistants/new", wrong).is(http.StatusUnprocessableEntity, `value="hot"`, `value="1e9"`, "what this is for", "keyless", "needs a name", "needs a key", "is not JSON")
	twice := form()
	twice["metadata_key"] = []string{"team", "team"}
	b.post("assistants/new", twice).is(http.StatusUnprocessableEntity, "stands there twice")

	f := form("description", "Two\r\nlines.", "response_format",
		`{"type": "json_schema", "json_schema": {"name": "word", "schema": {"type": "object", "properties": {"zebra": {"const": 1.50}, "ant": {}}}}}`)
	f["variable_default"][0], f["metadata_value"][0] = "Dear\r\nmatey", "two\r\nlines"
	id := b.make(t, f)
	shown := b.get("assistants/"+id).ok("Dear\nmatey", "two\nlines", "Say Dear\nmatey.")
	if at := strings.Index(shown.body, "zebra"); at < 0 || strings.Index(shown.body, "ant&#34;") < at || !strings.Contains(shown.body, "1.50") {
		t.Errorf("the schema is not as it was:\n%s", shown.body)
	}
	f.Set("version", "1")
	f.Set("response_format", `{ "type": "json_schema", "json_schema": { "name": "word", "schema": {"type": "object", "properties": {"zebra": {"const": 1.50}, "ant": {}}}}}`)
	b.post("assistants/"+id, f).to(console.Base + "assistants/" + id)
	b.get("assistants/" + id + "/versions").ok().without("versions/2")

	b.post("assistants/"+id, form("version", "1", "name", "Corsair")).to(console.Base + "assistants/" + id)
	b.post("assistants/"+id, f).is(http.StatusPreconditionFailed, "Corsair", "Yours", "zebra", "Two")
	b.post("assistants/"+id+"/publish", url.Values{"version": {"1"}}).is(http.StatusUnprocessableEntity, "changed after this page")
	b.post("assistants/"+id+"/publish", nil).is(http.StatusBadRequest)
}

// TestLongPreview: what would be too long to be sent makes no page of that length.
func TestLongPreview(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	f := form("instructions", strings.Repeat("{{name}}", 1000))
	f["variable_default"][0] = strings.Repeat("é", 512)
	id := b.make(t, f)
	b.get("assistants/" + id).ok(strings.Repeat("é", 512_000)).without("is not sent.</code>")
	f.Set("version", "1")
	f.Set("instructions", strings.Repeat("{{name}}", 1000)+"!")
	b.post("assistants/"+id, f).to(console.Base + "assistants/" + id)
	page := b.get("assistants/" + id).ok("It would have more than 512,000 characters, and is not sent.</code>")
	if len(page.body) > 100_000 {
		t.Errorf("the page has %d bytes", len(page.body))
	}
	f.Set("name", "")
	b.post("assistants/new", f).is(http.StatusUnprocessableEntity, "would have more than 512,000 characters, and is not sent.</code>")
	b.Language = "ru"
	b.get("assistants/" + id).ok("такое не отправляется.</code>")
}

// Labels are made, moved, split and deleted beside the versions that they stand for.
func TestLabels(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	id := b.make(t, form())
	b.post("assistants/"+id, form("version", "1", "name", "Corsair")).to(console.Base + "assistants/" + id)
	page := "assistants/" + id + "/versions"
	b.get(page).ok("No labels yet.")
	set := func(label string, rows ...string) *shown {
		f := url.Values{"label": {label}}
		for i := 0; i+1 < len(rows); i += 2 {
			f["version"], f["weight"] = append(f["version"], rows[i]), append(f["weight"], rows[i+1])
		}
		return b.post("assistants/"+id+"/labels", f)
	}
	set("production", "1", "", "", "").to(console.Base + page)
	b.get(page).ok(id+"@production", "<td>1</td>")
	set("production", "1", "90", "2", "10").to(console.Base + page)
	b.get(page).ok("1 (90", "2 (10")
	set("Production", "1", "").is(http.StatusUnprocessableEntity, "the first one a letter", `value="Production"`)
	set("beta", "7", "").is(http.StatusUnprocessableEntity, "not saved", `value="7"`)
	set("beta", "x", "").is(http.StatusUnprocessableEntity, "must be an integer")
	set("", "1", "").is(http.StatusUnprocessableEntity, "A label needs a name.")
	b.post("assistants/"+id+"/versions/1/withdraw", nil).is(http.StatusConflict, "the label production stands for version 1")
	b.get("assistants/" + id + "/labels/production/delete").ok("Calls of it fail at once.")
	b.post("assistants/"+id+"/labels/production/delete", nil).to(console.Base + page)
	b.get(page).ok("No labels yet.")
}

func TestPublish(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	id := b.make(t, form("category", ""))
	b.get("assistants/"+id+"/publish").ok("A category is required", "Put nothing secret")
	b.post("assistants/"+id+"/publish", url.Values{"version": {"1"}}).is(http.StatusUnprocessableEntity, "required to publish")
	b.post("assistants/"+id, form("version", "1")).to(console.Base + "assistants/" + id)
	b.post("assistants/"+id+"/publish", url.Values{"version": {"2"}}).to(console.Base + "assistants/" + id)
	key, _ := s.account("Grace", "free")
	other := s.signedIn(key)
	other.get("marketplace/"+id).ok("Speaks like a pirate.", "Ada").without("You are a pirate")
	for _, path := range []string{"", "/versions", "/publish", "/delete"} {
		other.get("assistants/" + id + path).is(http.StatusNotFound).without("You are a pirate")
	}
	other.post("assistants/"+id, form("version", "1")).is(http.StatusNotFound)

	if err := s.store.Unpublish(t.Context(), elumenta.AssistantID(id), "Too <b>rude</b>"); err != nil {
		t.Fatal(err)
	}
	b.get("assistants/"+id).ok("Taken down", "Too &lt;b&gt;rude")
	b.post("assistants/"+id+"/publish", url.Values{"version": {"4"}}).is(http.StatusUnprocessableEntity, "Too &lt;b&gt;rude")
	b.get("assistants/" + id + "/delete").ok("for good")
	b.post("assistants/"+id+"/delete", nil).to(console.Base + "assistants")
	b.get("assistants/" + id).is(http.StatusNotFound)
}

// A new account is led to an assistant, to a talk with it and to the call; what it has done shows, and it may have enough of that.
func TestFirstSteps(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.get("assistants").ok("Your first assistant in three steps", "Begin with an empty assistant").without("done", "Talk with it</a>")
	starter := elumenta.Starter{ID: elumenta.NewAssistantID(), Fields: elumenta.Fields{
		Name: "Tutor", Model: "sandbox", Instructions: "Teach.", Description: "Teaches.", Category: "education", Copyable: true,
	}}
	set := elumenta.StarterSet{Digest: "1", Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		return []elumenta.Starter{starter}, nil
	}}
	if err := s.store.PublishStarters(t.Context(), set, elumenta.StarterOptions{}); err != nil {
		t.Fatal(err)
	}
	s.suggested = []elumenta.AssistantID{elumenta.NewAssistantID(), starter.ID}
	b.get("assistants").ok("Tutor", "Use as a starting point")
	copied := b.post("marketplace/"+string(starter.ID)+"/copy", nil).header.Get("Location")
	b.get(strings.TrimPrefix(copied, console.Base)).ok("Teach.", "Copied.")
	shown := b.get("assistants").ok("Tutor", "three steps", "Copy the call</a>", copied+"#call").without("Use as a starting point")
	if n := strings.Count(shown.body, ">done<"); n != 1 {
		t.Errorf("%d steps are done, not 1", n)
	}
	id := strings.TrimPrefix(copied, console.Base+"assistants/")
	b.do(http.MethodPost, "generate", strings.NewReader(`{"assistant_id":"`+id+`","prompt":"Hello"}`), "Content-Type", "application/json").ok()
	if n := strings.Count(b.get("assistants").ok().body, ">done<"); n != 2 {
		t.Errorf("%d steps are done, not 2", n)
	}
	b.post("first-steps", nil).to(console.Base + "assistants")
	b.get("assistants").ok("Tutor").without("three steps")
}
