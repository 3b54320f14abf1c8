package store_test

import (
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres) }
