package store

// giveOwner does nothing: a new file has the access rights that its directory hands down.
func giveOwner(string, ...string) error { return nil }
