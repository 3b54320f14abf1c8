package elumenta

import "time"

// ProviderSetup is a provider that the program knows, configured or not.
type ProviderSetup struct {
	Name string // as Model.Provider and Target.Name have it
	// Configured is whether it is on: its models have a route.
	Configured bool
	// Variable is the environment variable that switches it on, empty for one that is always on.
	Variable string
}

// ProviderHealth is what one process has seen of a provider since it started. It holds no text of the provider's.
type ProviderHealth struct {
	// Attempts are the calls that have ended. One that is neither a success nor a failure was left by its client, or cut off by
	// this server.
	Attempts, Successes int64
	// Failures counts by kind; kinds that did not occur are not in it. KindRejected is the input's fault, not the provider's.
	Failures map[ErrorKind]int64
	// LastSuccess and LastFailure are zero for none; LastKind is the last failure's.
	LastSuccess, LastFailure time.Time
	LastKind                 ErrorKind
}
