package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static/*.js static/*.css static/*.svg
var staticFiles embed.FS

// statics are the files that pages load. A file's link has a hash of what is in it, so a browser
// may keep it.
type statics struct {
	content map[string][]byte // by name
	hash    map[string]string
}

func readStatics() statics {
	s := statics{map[string][]byte{}, map[string]string{}}
	entries, _ := staticFiles.ReadDir("static") // it is embedded
	for _, entry := range entries {
		content, _ := staticFiles.ReadFile("static/" + entry.Name())
		sum := sha256.Sum256(content)
		s.content[entry.Name()], s.hash[entry.Name()] = content, hex.EncodeToString(sum[:6])
	}
	return s
}

func (s statics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, ok := s.content[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	if strings.Contains(r.URL.RawQuery, s.hash[name]) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(content)
}
