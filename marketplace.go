package elumenta

import "time"

// Category is a shelf of the marketplace.
type Category struct{ Slug, Name string }

// Categories are fixed, in the order in which they are shown.
var categories = []Category{
	{"productivity", "Productivity"}, {"programming", "Programming"}, {"writing", "Writing"}, {"translation", "Translation"},
	{"education", "Education"}, {"data", "Data"}, {"marketing", "Marketing"}, {"support", "Support"}, {"career", "Career"},
	{"design", "Design"}, {"life", "Life"}, {"entertainment", "Entertainment"}, {"general", "General"},
}

// Categories lists the categories in the order in which they are shown.
func Categories() []Category { return categories }

// KnownCategory reports whether slug is a category.
func KnownCategory(slug string) bool {
	for _, c := range categories {
		if c.Slug == slug {
			return true
		}
	}
	return false
}

// CategorySlugs lists the slugs in the order in which they are shown.
func CategorySlugs() []string {
	slugs := make([]string, len(categories))
	for i, c := range categories {
		slugs[i] = c.Slug
	}
	return slugs
}

// Listing is the public view of a published assistant: never its instructions or metadata.
type Listing struct {
	ID                                 AssistantID
	Owner                              AccountID
	Name, Description, Category, Model string
	Version                            int
	Author                             string // the owner's display name
	Copyable                           bool   // whether anyone may copy this version
	Variables                          []Variable
	Uses                               int64 // charged generations by other accounts
	CreatedAt, UpdatedAt               time.Time
}

// ListingSort is an order of the marketplace.
type ListingSort string

// The orders.
const (
	// SortPopular goes by how many other accounts used an assistant in the last 30 days, as it was last counted; what nobody used
	// stands behind, newest first.
	SortPopular ListingSort = "popular"
	// SortNew goes by when an assistant was first published, the newest first.
	SortNew ListingSort = "new"
	// SortByName goes by SortName.
	SortByName ListingSort = "name"
)

// ListingQuery asks for one page of the marketplace.
type ListingQuery struct {
	Category string // "" for all
	// Text is what to search for in names and descriptions; blank is nothing, and lists all. The order is then by SearchTier, and in
	// each as SortPopular, whatever Sort says.
	Text string
	Sort ListingSort // "" is SortPopular
	// After is where the page before has ended, as Listings said for the same query; "" is the beginning.
	After string
	Limit int
}
