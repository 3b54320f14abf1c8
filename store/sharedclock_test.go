package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// A node goes on from the database's clock as it last read it, however wrong its own is.
func TestSharedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c sharedClock
		if _, ok := c.now(); ok {
			t.Fatal("there is a time before the clock was read")
		}
		database := time.Now().AddDate(0, 2, 0)
		c.set(database)
		time.Sleep(time.Hour)
		if now, ok := c.now(); !ok || !now.Equal(database.Add(time.Hour)) {
			t.Fatalf("an hour after %s it is %s", database, now)
		}
	})
}
