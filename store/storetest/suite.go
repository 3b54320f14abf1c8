// Package storetest is the suite that every database engine of package store passes, and what tests of other packages
// need to have a database.
package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// Run tests an engine. database returns the URL of a new, empty database that is gone when the test ends.
func Run(t *testing.T, database func(testing.TB) string) {
	for name, test := range map[string]func(*testing.T, string){
		"Open":                testOpen,
		"OpenAtOnce":          testOpenAtOnce,
		"NewerSchema":         testNewerSchema,
		"Bootstrap":           testBootstrap,
		"Accounts":            testAccounts,
		"AccountsRefused":     testAccountsRefused,
		"Plans":               testPlans,
		"FindAccounts":        testFindAccounts,
		"TopupOnce":           testTopupOnce,
		"CreateAccountOnce":   testCreateAccountOnce,
		"PlanAgain":           testPlanAgain,
		"LastAdmin":           testLastAdmin,
		"AnyonesKeys":         testAnyonesKeys,
		"Unpublish":           testUnpublish,
		"Reports":             testReports,
		"ReportPinned":        testReportPinned,
		"ReportsDecided":      testReportsDecided,
		"Starters":            testStarters,
		"StartersAtOnce":      testStartersAtOnce,
		"StarterDenied":       testDeniedStarter,
		"StarterAuthor":       testStarterAuthor,
		"ReportQueue":         testReportQueue,
		"ReportsLimit":        testReportsLimit,
		"Review":              testReview,
		"Copy":                testCopy,
		"DeniedNames":         testDeniedNames,
		"Audit":               testAudit,
		"AuditWithChange":     testAuditWithChange,
		"AuditBroken":         testAuditBroken,
		"AuditAtOnce":         testAuditAtOnce,
		"AuditLast":           testAuditLast,
		"Authenticate":        testAuthenticate,
		"Keys":                testKeys,
		"KeysIdempotent":      testKeysIdempotent,
		"KeysLimit":           testKeysLimit,
		"KeyLimits":           testKeyLimits,
		"KeyLimitsRefused":    testKeyLimitsRefused,
		"KeyExpiry":           testKeyExpiry,
		"Sessions":            testSessions,
		"SessionsReplaced":    testSessionsReplaced,
		"SessionTimes":        testSessionTimes,
		"SessionsLimit":       testSessionsLimit,
		"SignInLinks":         testSignInLinks,
		"Assistant":           testAssistant,
		"AssistantFields":     testAssistantFields,
		"AssistantRefused":    testAssistantRefused,
		"AssistantConcurrent": testAssistantConcurrent,
		"DeleteLarge":         testDeleteLarge,
		"Versions":            testVersions,
		"LargePages":          testLargePages,
		"MixedPages":          testMixedPages,
		"VersionsLimit":       testVersionsLimit,
		"Storage":             testStorage,
		"StorageStarters":     testStorageStarters,
		"StorageAtOnce":       testStorageAtOnce,
		"StorageCounted":      testStorageCounted,
		"StorageMigrated":     testStorageMigrated,
		"Labels":              testLabels,
		"Idempotent":          testIdempotent,
		"IdempotentAtOnce":    testIdempotentAtOnce,
		"Import":              testImport,
		"ImportTimes":         testImportTimes,
		"ImportRefused":       testImportRefused,
		"ImportIdempotent":    testImportIdempotent,
		"TextFilter":          testTextFilter,
		"Foreign":             testForeign,
		"Listings":            testListings,
		"Suspended":           testSuspended,
		"Resolve":             testResolve,
		"Revisions":           testRevisions,
		"Paging":              testPaging,
		"Usage":               testUsage,
		"Uses":                testUses,
		"PlansConfigured":     testPlansConfigured,
		"PlansReloaded":       testPlansReloaded,
		"Verify":              testVerify,
		"CanceledContext":     testCanceledContext,
		"Closed":              testClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time goes by waiting for the disk
			test(t, database(t))
		})
	}
}

// Open opens a database as a server does, and closes it when the test ends.
func Open(t testing.TB, url string) *store.Store {
	t.Helper()
	return OpenWith(t, store.Options{URL: url, Serve: true})
}

// OpenWith opens a database, and closes it when the test ends.
func OpenWith(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// SQLite returns the URL of a new database file.
func SQLite(t testing.TB) string {
	return "sqlite:" + t.TempDir() + "/elumenta.db"
}

// shared reports whether several servers may use the database at once.
func shared(url string) bool { return !strings.HasPrefix(url, "sqlite:") }

// Account makes an account on a plan.
func Account(t testing.TB, s *store.Store, plan string) elumenta.AccountID {
	t.Helper()
	a, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: "Ada", Plan: plan}, nil)
	if err != nil {
		t.Fatalf("create an account: %v", err)
	}
	return a.ID
}

// Fields are those of an assistant that may be published.
func Fields(name string) elumenta.Fields {
	return elumenta.Fields{Name: name, Model: "sandbox", Instructions: "You help with " + elumenta.Text(name), Description: "About " + name, Category: "general"}
}

// create makes an assistant.
func create(t testing.TB, s *store.Store, owner elumenta.AccountID, f elumenta.Fields, v elumenta.Visibility) *elumenta.Assistant {
	t.Helper()
	a, _, err := s.CreateAssistant(t.Context(), owner, f, v, nil)
	if err != nil {
		t.Fatalf("create an assistant: %v", err)
	}
	return a
}

// update patches an assistant.
func update(t testing.TB, s *store.Store, a *elumenta.Assistant, p *elumenta.Patch) *elumenta.Assistant {
	t.Helper()
	updated, err := s.UpdateAssistant(t.Context(), a.Owner, a.ID, 0, p)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return updated
}

func publish(v elumenta.Visibility) *elumenta.Patch {
	return &elumenta.Patch{Visibility: elumenta.Some(v)}
}

// want fails unless err has the code; "" means no error.
func want(t testing.TB, err error, code elumenta.Code) {
	t.Helper()
	var got elumenta.Code
	if err != nil {
		e, ok := errors.AsType[*elumenta.Error](err)
		if !ok {
			t.Fatalf("error %v of type %T, want code %q", err, err, code)
		}
		got = e.Code
	}
	if got != code {
		t.Fatalf("error %v (%v), want code %q", err, errors.Unwrap(err), code)
	}
}

// wantOK fails on any error.
func wantOK(t testing.TB, err error) {
	t.Helper()
	want(t, err, "")
}
