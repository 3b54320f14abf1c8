package httpapi_test

import (
	"testing"

	"github.com/elumenta/elumenta"
)

func TestLabels(t *testing.T) {
	s := newServer(t, setup{})
	key, account := s.account("unlimited")
	other, _ := s.account("unlimited")
	v := s.do("POST", "/assistants", key, bot("name", "one", "visibility", "marketplace", "category", "writing", "description", "Helps")).want(201)
	id := v["id"].(string)
	path := "/assistants/" + id
	s.do("PUT", path, key, object{"name": "two"}).want(200)
	call := func(key string, body object) any {
		body["assistant_id"], body["prompt"] = id+"@production", "Hello"
		return s.do("POST", "/generate", key, body).want(200)["assistant_version"]
	}
	s.do("POST", "/generate", key, object{"assistant_id": id + "@production", "prompt": "Hello"}).wantError(404, elumenta.CodeNotFound)
	for _, version := range []float64{1, 2, 1} { // each move counts at once
		set := s.do("PUT", path+"/labels/production", key, object{"version": version}).want(200)
		if set["label"] != "production" || set["split"].([]any)[0].(object)["version"] != version {
			t.Errorf("label %v", set)
		}
		if got := call(key, object{}); got != version {
			t.Errorf("version %v answers, want %v", got, version)
		}
	}
	// Another node moves it: nothing tells this one, and yet it counts.
	if _, err := s.store.SetLabel(t.Context(), account, elumenta.AssistantID(id), "production", []elumenta.LabelShare{{Version: 2, Weight: 1}}); err != nil {
		t.Fatal(err)
	}
	s.do("POST", "/generate", key, object{"assistant_id": id + "@2", "prompt": "Hello"}).want(200) // the version's copy is new, the label's is not
	if got := call(key, object{}); got != 2.0 {
		t.Errorf("version %v answers after another node moved the label", got)
	}

	split := object{"split": []object{{"version": 2, "weight": 50}, {"version": 1, "weight": 50}}}
	s.do("PUT", path+"/labels/production", key, split).want(200)
	seen := map[any]bool{}
	for i := range 30 {
		user := object{"user": string(rune('a' + i))}
		version := call(key, user)
		if again := call(key, user); again != version {
			t.Errorf("user %d is answered by %v, then by %v", i, version, again)
		}
		seen[version] = true
	}
	if len(seen) != 2 {
		t.Errorf("30 users are answered by %v", seen)
	}

	s.do("PUT", path+"/labels/production", key, object{"version": 9}).wantFields("version")
	s.do("PUT", path+"/labels/production", key, object{}).wantFields("version")
	s.do("PUT", path+"/labels/production", key, object{"version": 1, "split": []object{}}).wantFields("version")
	s.do("PUT", path+"/labels/production", key, object{"split": []object{{"version": 1, "weight": 0}}}).wantFields("split[0].weight")
	s.do("PUT", path+"/labels/production", key, object{"version": 0}).wantFields("version")
	s.do("PUT", path+"/labels/production", key, object{"split": []object{{"version": 1, "weight": 0}, {"version": 1, "weight": "x"}, {"version": 9, "weight": 20_000}, {"version": 2}}}).
		wantFields("split[0].weight", "split[1].version", "split[1].weight", "split[2].weight", "split[3].weight")
	s.do("PUT", path+"/labels/production", key, object{"split": []object{{"version": 1, "share": 3}}}).wantFields("split[0].share", "split[0].weight")
	s.do("PUT", path+"/labels/production", key, object{"split": []any{7, object{"version": 1, "weight": 0}}}).wantFields("split[0]", "split[1].weight")
	s.do("PUT", path+"/labels/production", key, object{"split": 7}).wantFields("split")
	s.do("PUT", path+"/labels/Production", key, object{"version": 1}).wantFields("label")
	s.do("PUT", path+"/labels/Production", key, object{"version": "1"}).wantFields("label", "version")
	s.do("DELETE", path+"/versions/1", key, nil).wantError(409, elumenta.CodeConflict)
	if items := s.do("GET", path+"/labels", key, nil).want(200)["items"].([]any); len(items) != 1 {
		t.Errorf("labels %v", items)
	}
	s.do("GET", path+"/labels", other, nil).wantError(403, elumenta.CodeForbidden)
	s.do("PUT", path+"/labels/x", other, object{"version": 1}).wantError(403, elumenta.CodeForbidden)
	s.do("POST", "/generate", other, object{"assistant_id": id + "@production", "prompt": "Hello"}).wantError(404, elumenta.CodeNotFound)
	s.do("DELETE", path+"/labels/production", key, nil).want(204)
	s.do("DELETE", path+"/labels/production", key, nil).wantError(404, elumenta.CodeNotFound)
	s.do("POST", "/generate", key, object{"assistant_id": id + "@production", "prompt": "Hello"}).wantError(404, elumenta.CodeNotFound)
}
