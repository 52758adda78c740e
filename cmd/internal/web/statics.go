package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Statics are the files that pages load, which a request names as "name". A file's link has a hash
// of what is in it, so a browser may keep it.
type Statics struct {
	content map[string][]byte // by name
	hash    map[string]string
}

// ReadStatics reads the files of embedded folders.
func ReadStatics(folders ...fs.FS) Statics {
	s := Statics{map[string][]byte{}, map[string]string{}}
	for _, folder := range folders {
		entries, _ := fs.ReadDir(folder, ".") // it is embedded
		for _, entry := range entries {
			content, _ := fs.ReadFile(folder, entry.Name())
			sum := sha256.Sum256(content)
			s.content[entry.Name()], s.hash[entry.Name()] = content, hex.EncodeToString(sum[:6])
		}
	}
	return s
}

// Link is a file's name with its hash.
func (s Statics) Link(name string) string { return name + "?" + s.hash[name] }

func (s Statics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
