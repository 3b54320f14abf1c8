package elumenta

// StarterAuthor is the built-in account that publishes the starter assistants. Nobody acts for it: it has no keys and is never an
// admin. Operators may rename and suspend it, which hides all starters.
const StarterAuthor AccountID = "acct_01m88ms36nfdab5qmmmgakffc6"

// StarterAuthorName is its display name.
const StarterAuthorName = "Elumenta"

// Starter is an assistant that comes with the program.
type Starter struct {
	ID AssistantID // the same on every server
	Fields
}

// StarterSet is the starters that come with the program.
type StarterSet struct {
	// Digest differs where the starters do.
	Digest string
	// Load reads them; it is called where Digest is new. models are those that starters have by now, by id: one that has none yet is
	// not among them.
	Load func(models map[AssistantID]string) ([]Starter, error)
}

// StarterOptions say what becomes of starters.
type StarterOptions struct {
	// Keep leaves those that were published before as they are, and adds none to them.
	Keep bool
	// Note is the line of an updated starter's version.
	Note string
}
