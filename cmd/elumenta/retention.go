package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

type verifyRetentionCommand struct {
	serverFlags
	databaseFlags
	Model string   `help:"The model that is asked." default:"sandbox"`
	Log   []string `help:"A log of the server, to be searched as well; may be repeated." placeholder:"FILE" sep:"none"`
}

// Help says what is done.
func (verifyRetentionCommand) Help() string {
	return `Examples:
  elumenta verify-retention --database sqlite:/var/lib/elumenta/elumenta.db --log /var/log/elumenta.log
  elumenta verify-retention --database postgres://elumenta@db/elumenta

Shows that nothing of a conversation is kept: sends generations whose messages, system text and user hold a random text,
then searches for it in every byte of the SQLite file and of its write-ahead log, or in every row of every table on Postgres, and in the logs
that are named. The same search must find the generations' ids, which are kept; otherwise it says that it looked in the wrong place.

What it finds is reported with where, and it ends with 1. A provider's own retention is its provider's: with the model sandbox none is asked.`
}

// canaryRepeats is how often a message has the canary: where a page of the file cuts one, others stay whole.
const canaryRepeats = 16

// Run sends and searches.
func (c *verifyRetentionCommand) Run(p *program) error {
	conf, err := config.Load(c.Config, config.Overrides{Database: c.Database}, p.getenv)
	if err != nil {
		return err
	}
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx, stop := interruptible()
	defer stop()
	canary := newCanary()
	ids, err := c.send(ctx, cl, canary)
	if err != nil {
		return err
	}
	var places []place
	if path, ok := strings.CutPrefix(conf.Database, "sqlite:"); ok {
		if path, err = filepath.EvalSymlinks(path); err != nil { // the other files stand beside what a link leads to
			return err
		}
		for _, name := range []string{path, path + "-wal", path + "-ledger"} {
			if _, err := os.Stat(name); name != path && errors.Is(err, os.ErrNotExist) {
				continue
			}
			places = append(places, place{name, func(_ context.Context, text string) (int64, error) { return countInFile(name, text) }})
		}
	} else {
		s, err := store.Open(ctx, store.Options{URL: conf.Database, Plans: conf.Plans})
		if err != nil {
			return fmt.Errorf("cannot open the database: %w", err)
		}
		defer func() { _ = s.Close() }()
		places = append(places, place{"the tables", func(ctx context.Context, text string) (n int64, err error) {
			found, err := s.RowsWith(ctx, text)
			for _, table := range slices.Sorted(maps.Keys(found)) {
				n += found[table]
			}
			return n, err
		}})
	}
	database := len(places)
	for _, name := range c.Log {
		places = append(places, place{name, func(_ context.Context, text string) (int64, error) { return countInFile(name, text) }})
	}
	return searchPlaces(ctx, p.stdout, places, database, canary, ids)
}

func newCanary() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it does not fail since Go 1.24
	return "canary-" + hex.EncodeToString(b)
}

// send makes two generations that hold the canary wherever a request may hold text, and returns their ids.
func (c *verifyRetentionCommand) send(ctx context.Context, cl *client, canary string) (ids []string, err error) {
	text := strings.Repeat(canary+" ", canaryRepeats)
	for range 2 {
		body := map[string]any{
			"model": c.Model, "system": text, "user": canary,
			"messages": []map[string]string{{"role": "user", "content": text}, {"role": "assistant", "content": text}, {"role": "user", "content": text}},
		}
		var answer struct{ ID string }
		if _, err := cl.call(ctx, http.MethodPost, "/api/v2/generate", body, &answer); err != nil {
			return nil, fmt.Errorf("the generation with the canary: %w", err)
		}
		ids = append(ids, answer.ID)
	}
	return ids, nil
}

// place is somewhere a text may be found; count says how often.
type place struct {
	name  string
	count func(ctx context.Context, text string) (int64, error)
}

// searchPlaces looks for the canary everywhere, and for the ids in the database, which are the first places.
func searchPlaces(ctx context.Context, out io.Writer, places []place, database int, canary string, ids []string) error {
	var found, known int64
	for i, at := range places {
		n, err := at.count(ctx, canary)
		if err != nil {
			return err
		}
		found += n
		verdict := "nothing of the conversation"
		if n > 0 {
			verdict = fmt.Sprintf("FOUND %d times", n)
		}
		_, _ = fmt.Fprintf(out, "%s: %s\n", printable(at.name), verdict)
		for _, id := range ids {
			if i >= database {
				break
			}
			n, err := at.count(ctx, id)
			if err != nil {
				return err
			}
			known += n
		}
	}
	switch {
	case found > 0:
		return errors.New("text of a conversation is kept")
	case known == 0:
		return errors.New("the generations themselves are not found: is this the database of that server?")
	}
	_, _ = fmt.Fprintf(out, "the generations' ids are there, as they should be: the search works\n")
	return nil
}

// countInFile counts a text's bytes in a file, also as hexadecimal digits.
func countInFile(name, text string) (n int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	wanted := [][]byte{[]byte(text), []byte(hex.EncodeToString([]byte(text)))}
	overlap := len(wanted[1]) - 1
	buffer, kept := make([]byte, 1<<20), 0
	for {
		read, err := f.Read(buffer[kept:])
		part := buffer[:kept+read]
		for _, w := range wanted {
			// What lies in the part that was kept whole has been counted before.
			for at := 0; ; {
				i := bytes.Index(part[at:], w)
				if i < 0 {
					break
				}
				if at += i + len(w); at > kept {
					n++
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		kept = min(overlap, len(part))
		copy(buffer, part[len(part)-kept:])
	}
}
