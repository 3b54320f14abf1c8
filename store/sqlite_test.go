package store_test

import (
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, storetest.SQLite) }
