package store_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
