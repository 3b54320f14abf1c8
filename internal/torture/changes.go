package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// maxEdits is below the versions that an assistant may have.
const maxEdits = 900

// two draws a node for a change and another, if there is one, for the request that must see it.
func (r *run) two(random *rand.Rand) (on, other int) {
	on = random.IntN(len(r.nodes))
	return on, (on + 1 + random.IntN(max(1, len(r.nodes)-1))) % len(r.nodes)
}

// probe makes one request for the prober that the provider answers at once.
func (r *run) probe(node int, key string, assistant int) *attempt {
	number := -r.probes.Add(1)
	a := &attempt{marker: number << 4, call: number, account: -1, node: node, price: cheapPrice, stream: number%2 == 0}
	body := map[string]any{"model": cheapModel, "stream": a.stream, "prompt": wish{a.marker, answers, 1, 0}.String()}
	if assistant >= 0 {
		body["assistant_id"] = r.world.shared[assistant]
	}
	r.generate(a, key, body, clientPatience, false)
	return a
}

// inconclusive reports whether a node or its database was away.
func (a *attempt) inconclusive() bool {
	return a.outcome == broken || a.outcome == left || a.status >= 500
}

// revokeKeys makes keys, uses them on a node, revokes them on another and looks whether the next request on the first one
// is refused.
func (r *run) revokeKeys(load context.Context) {
	random := r.plan.random(drawChanges)
	for pause(load, time.Duration(20+random.IntN(80))*time.Millisecond) {
		on, other := r.two(random)
		status, made := r.api(on, r.world.prober.key, http.MethodPost, "/keys", map[string]any{"name": "short-lived"})
		if status != http.StatusCreated {
			continue
		}
		key, id := fmt.Sprint(made["key"]), fmt.Sprint(made["id"])
		r.probe(other, key, -1)
		if r.revoke(load, on, id) {
			r.refused(load, other, key, id)
		}
	}
}

// revoke reports whether the key is revoked for certain. A repetition that finds none says so too.
func (r *run) revoke(load context.Context, node int, id string) bool {
	for range 20 {
		status, _ := r.api(node, r.world.prober.key, http.MethodDelete, "/keys/"+id, nil)
		if status == http.StatusNoContent || status == http.StatusNotFound {
			return true
		}
		if !pause(load, 200*time.Millisecond) {
			break
		}
	}
	return false
}

func (r *run) refused(load context.Context, node int, key, id string) {
	for range 20 {
		a := r.probe(node, key, -1)
		if !a.inconclusive() {
			r.record.revoked.Add(1)
			if a.status != http.StatusUnauthorized {
				r.record.fault(checkChanges, "revoked: node %d answered a request with %d that began after %s was revoked: %s", node, a.status, id, a)
			}
			return
		}
		if !pause(load, 100*time.Millisecond) {
			return
		}
	}
}

// seen is a request that began after an edit was acknowledged.
type seen struct {
	*attempt
	edit, version int // the newest that were acknowledged
}

// editAssistant changes a shared assistant on one node and uses it on another.
func (r *run) editAssistant(load context.Context, index int) {
	random := r.plan.random(drawChanges + 1 + uint64(index))
	least := max(60*time.Millisecond, r.plan.duration/maxEdits)
	for edit := 2; edit < maxEdits && pause(load, least+time.Duration(random.IntN(100))*time.Millisecond); edit++ {
		on, other := r.two(random)
		status, changed := r.api(on, r.world.author.key, http.MethodPut, "/assistants/"+r.world.shared[index], map[string]any{"instructions": instructions(edit)})
		if status != http.StatusOK {
			continue
		}
		version, _ := changed["version"].(float64)
		if a := r.probe(other, r.world.prober.key, index); a.outcome == complete {
			r.record.edited.Add(1)
			r.record.look(seen{a, edit, int(version)})
		}
	}
}
