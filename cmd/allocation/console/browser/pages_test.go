package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/chromium"
)

// At most so many links of a path are followed, and so many pages of it are looked at.
const (
	mostLinks = 12
	mostPages = 5
)

// hasPagesWithoutFault looks at every page that a link leads to, in both themes and widths.
func hasPagesWithoutFault(t *testing.T, s *site, chrome *chromium.Browser) {
	pages := s.crawl(t)
	for _, path := range []string{"/", "/command", "/letters", "/letter", "/partitions", "/events", "/products", "/batches", "/lines", "/orders", "/product", "/batch", "/order", "/try"} {
		require.Contains(t, pages, path, "no link leads there")
	}
	pages["/order"] = append(pages["/order"], "/order") // without what it is about
	pages["/no-such-page"] = []string{"/no-such-page"}
	for path, links := range pages {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := chrome.Open(t)
			for _, link := range links {
				for _, fault := range b.Faults(s.url + link) {
					t.Errorf("%s: %s", link, fault)
				}
			}
		})
	}
}

var tag = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>`)

// crawl follows links from the seeds on. It gives pages, by their paths, after it saw that no link
// of them is broken.
func (s *site) crawl(t *testing.T) map[string][]string {
	t.Helper()
	pages, asked, of := map[string][]string{}, map[string]bool{}, map[string]int{}
	var follow func(from, link string)
	follow = func(from, link string) {
		path, _, _ := strings.Cut(link, "?")
		if asked[link] || of[path] >= mostLinks {
			return
		}
		asked[link] = true
		of[path]++
		status, content := s.get(link)
		isPage := strings.HasPrefix(content, "<!doctype html>")
		switch {
		case status == http.StatusOK:
		case status == http.StatusNotFound && !strings.Contains(content, "there is no page"): // nothing has the name
		default:
			t.Errorf("%s: its link %s is broken: %d %.300s", from, link, status, tag.ReplaceAllString(content, ""))
			return
		}
		if !isPage || path == "/search" {
			return
		}
		if len(pages[path]) < mostPages {
			pages[path] = append(pages[path], link)
		}
		for _, next := range links(content) {
			follow(link, next)
		}
	}
	for _, seed := range s.seeds() {
		follow("", seed)
	}
	return pages
}

// noticesWhatIsWrong: a page with faults has them found.
func noticesWhatIsWrong(t *testing.T, _ *site, chrome *chromium.Browser) {
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'sha256-YOhqBdZTzOVz8bdTzDNEnVqwYmhuYSWMPHHXeMvoKWU='")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><head><title>Wrong</title></head><body><main><h1>Other</h1><h1>Again</h1>
			<p style="color:#fefefe">not to be read</p><input><div><table><tr><td>`+strings.Repeat("wide", 200)+`</td></tr></table></div><script>alert(1)</script></main></body></html>`)
	}))
	defer wrong.Close()
	faults := strings.Join(chrome.Open(t).Faults(wrong.URL), "\n")
	for _, fault := range []string{`its heading is "Other", and its title "Wrong"`, "2 first headings", "axe-core label", "360 wide: it is", "style-src", "script-src"} {
		require.Contains(t, faults, fault)
	}
}
