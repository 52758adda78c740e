package chromium

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Faults are what is wrong with a page.
func (b *Tab) Faults(url string) (faults []string) {
	b.t.Helper()
	b.Look("light", wide)
	b.Visit(url)
	if b.Heading() == "" || !strings.Contains(Ask[string](b, `document.title`), b.Heading()) {
		faults = append(faults, fmt.Sprintf("its heading is %q, and its title %q", b.Heading(), Ask[string](b, `document.title`)))
	}
	if n := Ask[int](b, `document.querySelectorAll("h1").length`); n != 1 {
		faults = append(faults, fmt.Sprintf("it has %d first headings", n))
	}
	world := b.AxeIn()
	for _, width := range []int64{wide, narrow} {
		for _, theme := range []string{"light", "dark"} {
			b.Look(theme, width)
			for _, fault := range b.Axe(world) {
				faults = append(faults, fmt.Sprintf("%s, %d wide: %s", theme, width, fault))
			}
		}
		if extra := Ask[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); extra > 0 {
			faults = append(faults, fmt.Sprintf("%d wide: it is %d too wide: %s", width, extra, Ask[string](b, widest)))
		}
	}
	for _, said := range b.Heard() {
		if !strings.Contains(said, "status of 40") { // the page itself: it says what is wrong
			faults = append(faults, said)
		}
	}
	return faults
}

// widest finds what makes a page too wide.
const widest = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"))
	.map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n")`

// AxeIn loads axe-core into a world of its own: it checks whether people can use a page who do not
// see or hear, or have no mouse.
func (b *Tab) AxeIn() (world chromedp.EvaluateOption) {
	b.t.Helper()
	script, err := os.ReadFile(tool(b.t, "axe.min.js"))
	require.NoError(b.t, err, "axe-core is missing: `make test` gets it")
	world = b.world()
	Ask[chromedp.Void](b, string(script), world)
	return world
}

// Axe is what axe-core finds in the page.
func (b *Tab) Axe(world chromedp.EvaluateOption) (faults []string) {
	b.t.Helper()
	text := Ask[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, world, chromedp.EvalAwaitPromise)
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
