package demo_test

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/chromium"
)

// hasPagesWithoutFault: the demo's own pages are without fault, also while a trouble is on, and its
// buttons work without scripts and by keyboard.
func (d site) hasPagesWithoutFault() {
	b := chromium.Start(d.T).Open(d.T)
	scripts := func(on bool) {
		chromium.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	}
	scripts(false)
	b.Visit(d.URL + "/trouble")
	b.Goes(chromedp.Click(chromedp.CSS("#early button")))
	scripts(true)
	require.Equal(d, d.URL+"/trouble#early", chromium.Ask[string](b, `location.href`))
	require.Contains(d, chromium.Ask[string](b, `document.querySelector("#early").innerText`), "allocation dlq retry warehouse.commands.")

	b.Visit(d.URL + "/trouble")
	b.TabTo("#poison button")
	b.Goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(d, d.URL+"/trouble#poison", chromium.Ask[string](b, `location.href`))
	require.True(d, chromium.Ask[bool](b, `document.querySelector("#poison button").disabled`), "one at a time")
	b.Goes(chromedp.Click(chromedp.CSS("#poison .notice a")))
	require.Contains(d, b.Heading(), "Product ")
	require.Empty(d, b.Heard())

	for _, path := range []string{"/", "/sums", "/trouble"} {
		for _, fault := range b.Faults(d.URL + path) {
			d.Errorf("%s: %s", path, fault)
		}
	}
}
