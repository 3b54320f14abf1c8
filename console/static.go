package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
)

const staticPath = Base + "static/"

//go:embed static
var static embed.FS

// assets serves scripts and styles under a path that changes with them, so that browsers may keep them.
type assets struct {
	base  string
	files http.Handler
}

func loadAssets() (*assets, error) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		hash.Write([]byte(path + "\x00"))
		hash.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	base := staticPath + hex.EncodeToString(hash.Sum(nil)[:8]) + "/"
	return &assets{base, http.StripPrefix(base, http.FileServerFS(files))}, nil
}

// ServeHTTP serves a file, and no list of a folder.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, a.base) || strings.HasSuffix(r.URL.Path, "/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	a.files.ServeHTTP(w, r)
}
