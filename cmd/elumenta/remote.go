package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Page sizes: a page of the largest assistants must fit into maxAnswer.
const (
	assistantsPage = "50"
	versionsPage   = "20"
)

// longestWait is how long a server may ask to wait before the command gives up.
const longestWait = 5 * time.Minute

// remote is an account on a server, for commands that make many calls: it waits where the server asks it to.
type remote struct {
	*client
	line *progressLine
}

func (f *serverFlags) remote(p *program) (*remote, error) {
	cl, err := f.client(p)
	if err != nil {
		return nil, err
	}
	return &remote{cl, p.progress()}, nil
}

// close clears the line of progress, too.
func (r *remote) close() {
	r.line.clear()
	r.client.close()
}

// call is request without the answer's headers.
func (r *remote) call(ctx context.Context, method, path string, body, into any, headers ...string) error {
	_, err := r.request(ctx, method, path, body, into, headers...)
	return err
}

// request is client.call, repeated while the account makes too many calls: what is refused for that was not begun.
func (r *remote) request(ctx context.Context, method, path string, body, into any, headers ...string) (http.Header, error) {
	for {
		header, err := r.client.call(ctx, method, path, body, into, headers...)
		e, ok := errors.AsType[*apiError](err)
		if !ok || e.status != http.StatusTooManyRequests {
			return header, err
		}
		seconds, _ := strconv.Atoi(e.retryAfter)
		wait := time.Duration(max(seconds, 1)) * time.Second
		if wait > longestWait {
			return nil, err
		}
		r.line.last = time.Time{} // this is worth saying at once
		r.line.say("waiting for %s, as the server asks", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// pages reads a list to its end, or until use says that it has enough.
func (r *remote) pages(ctx context.Context, path, limit string, use func(items []saved) (more bool)) error {
	for cursor := ""; ; {
		query := url.Values{"limit": {limit}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Items      []saved
			NextCursor string `json:"next_cursor"`
		}
		if err := r.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		if cursor = page.NextCursor; !use(page.Items) || cursor == "" {
			return nil
		}
	}
}

// assistants is all of the account, the oldest first.
func (r *remote) assistants(ctx context.Context) (all []saved, err error) {
	err = r.pages(ctx, assistantsPath, assistantsPage, func(items []saved) bool {
		all = append(all, items...)
		r.line.say("%s read", plural(len(all), "assistant"))
		return true
	})
	slices.Reverse(all)
	return all, err
}

// assistant is one of the account's own.
func (r *remote) assistant(ctx context.Context, id string) (*saved, error) {
	path, err := assistantPath(id)
	if err != nil {
		return nil, err
	}
	var a saved
	if err := r.call(ctx, http.MethodGet, path, nil, &a); err != nil {
		return nil, err
	}
	if a.Visibility == "" {
		return nil, fmt.Errorf("%s belongs to another account: only its owner can read all of it", id)
	}
	return &a, nil
}

// versions is the saved versions up to a newest one, the oldest first.
func (r *remote) versions(ctx context.Context, id string, newest int) (all []saved, err error) {
	err = r.pages(ctx, assistantsPath+"/"+id+"/versions", versionsPage, func(items []saved) bool {
		all = append(all, items...)
		return true
	})
	all = slices.DeleteFunc(all, func(v saved) bool { return v.Version > newest }) // saved since
	slices.Reverse(all)
	return all, err
}

// version is one saved version, nil if it was withdrawn.
func (r *remote) version(ctx context.Context, id string, number int) (found *saved, err error) {
	err = r.pages(ctx, assistantsPath+"/"+id+"/versions", versionsPage, func(items []saved) bool {
		for i := range items {
			if items[i].Version == number {
				found = &items[i]
			}
		}
		return len(items) > 0 && items[len(items)-1].Version > number
	})
	return found, err
}

// catalog is the slugs of the server's models, in its order.
func (r *remote) catalog(ctx context.Context) ([]string, error) {
	var list struct{ Items []struct{ Slug string } }
	if err := r.call(ctx, http.MethodGet, "/api/v2/models", nil, &list); err != nil {
		return nil, err
	}
	slugs := make([]string, len(list.Items))
	for i, m := range list.Items {
		slugs[i] = m.Slug
	}
	return slugs, nil
}

// uses is how often others used a published assistant, -1 if that is not known.
func (r *remote) uses(ctx context.Context, a *saved) (int64, error) {
	var list struct {
		Items []struct {
			ID   string
			Uses int64
		}
	}
	if err := r.call(ctx, http.MethodGet, assistantsPath+"/marketplace?"+url.Values{"q": {a.Name}, "limit": {"100"}}.Encode(), nil, &list); err != nil {
		return -1, err
	}
	for _, l := range list.Items {
		if l.ID == a.ID {
			return l.Uses, nil
		}
	}
	return -1, nil
}
