package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// At most so many links of a path are followed, and so many pages of it are looked at.
const (
	mostLinks = 12
	mostPages = 5
)

// hasPagesWithoutFault looks at every page that a link leads to, in both themes and widths.
func hasPagesWithoutFault(t *testing.T, s *site, chrome *chromium) {
	pages := s.crawl(t)
	for _, path := range []string{"/", "/command", "/letters", "/letter", "/partitions", "/events", "/products", "/batches", "/lines", "/orders", "/product", "/batch", "/order", "/try"} {
		require.Contains(t, pages, path, "no link leads there")
	}
	pages["/order"] = append(pages["/order"], "/order") // without what it is about
	pages["/no-such-page"] = []string{"/no-such-page"}
	for path, links := range pages {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := chrome.open(t)
			for _, link := range links {
				for _, fault := range b.faults(s.url + link) {
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

// faults are what is wrong with a page.
func (b *tab) faults(url string) (faults []string) {
	b.t.Helper()
	b.look("light", wide)
	b.visit(url)
	if b.heading() == "" || !strings.Contains(ask[string](b, `document.title`), b.heading()) {
		faults = append(faults, fmt.Sprintf("its heading is %q, and its title %q", b.heading(), ask[string](b, `document.title`)))
	}
	if n := ask[int](b, `document.querySelectorAll("h1").length`); n != 1 {
		faults = append(faults, fmt.Sprintf("it has %d first headings", n))
	}
	world := b.axeIn()
	for _, width := range []int64{wide, narrow} {
		for _, theme := range []string{"light", "dark"} {
			b.look(theme, width)
			for _, fault := range b.axe(world) {
				faults = append(faults, fmt.Sprintf("%s, %d wide: %s", theme, width, fault))
			}
		}
		if extra := ask[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); extra > 0 {
			faults = append(faults, fmt.Sprintf("%d wide: it is %d too wide: %s", width, extra, ask[string](b, widest)))
		}
	}
	for _, said := range b.heard() {
		if !strings.Contains(said, "status of 40") { // the page itself: it says what is wrong
			faults = append(faults, said)
		}
	}
	return faults
}

// widest finds what makes a page too wide.
const widest = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"))
	.map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n")`

// axeIn loads axe-core into a world of its own: it checks whether people can use a page who do not see
// or hear, or have no mouse.
func (b *tab) axeIn() (world chromedp.EvaluateOption) {
	b.t.Helper()
	script, err := os.ReadFile(tools + "axe.min.js")
	require.NoError(b.t, err, "axe-core is missing: `make test` gets it")
	world = b.world()
	ask[chromedp.Void](b, string(script), world)
	return world
}

// axe is what axe-core finds in the page.
func (b *tab) axe(world chromedp.EvaluateOption) (faults []string) {
	b.t.Helper()
	text := ask[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, world, chromedp.EvalAwaitPromise)
	var found []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	require.NoError(b.t, json.Unmarshal([]byte(text), &found))
	for _, f := range found {
		for _, n := range f.Nodes {
			faults = append(faults, fmt.Sprintf("axe-core %s (%s): %.300s: %s", f.ID, f.Help, n.HTML, n.FailureSummary))
		}
	}
	return faults
}

// noticesWhatIsWrong: a page with faults has them found.
func noticesWhatIsWrong(t *testing.T, _ *site, chrome *chromium) {
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'sha256-YOhqBdZTzOVz8bdTzDNEnVqwYmhuYSWMPHHXeMvoKWU='")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><head><title>Wrong</title></head><body><main><h1>Other</h1><h1>Again</h1>
			<p style="color:#fefefe">not to be read</p><input><div><table><tr><td>`+strings.Repeat("wide", 200)+`</td></tr></table></div><script>alert(1)</script></main></body></html>`)
	}))
	defer wrong.Close()
	faults := strings.Join(chrome.open(t).faults(wrong.URL), "\n")
	for _, fault := range []string{`its heading is "Other", and its title "Wrong"`, "2 first headings", "axe-core label", "360 wide: it is", "style-src", "script-src"} {
		require.Contains(t, faults, fault)
	}
}
