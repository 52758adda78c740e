package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// journey leads from an order, which is searched for, to everything else.
var journey = []struct{ link, heading string }{
	{`main a[href="/batch?id=b2"]`, "Batch b2"},
	{`main a[href="/product?id=CHAIR"]`, "Product CHAIR"},
	{`main a[href^="/command?id="]`, "Command "},
	{`nav a[href="/letters"]`, "Dead letters"},
	{`main a[href^="/letter?id="]`, "Dead letter "},
	{`main a[href^="/command?id="]`, "Command "},
	{`nav a[href="/"]`, "Status"},
	{`nav a[href="/events"]`, "Live events"},
}

func worksWithoutScripts(t *testing.T, s *site, chrome *chromium) {
	b := chrome.open(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.visit(s.url + "/")
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "o2"))
	b.goes(chromedp.Click(chromedp.CSS(".find button")))
	require.Equal(t, "Order o2", b.heading())
	for _, step := range journey {
		b.goes(chromedp.Click(chromedp.CSS(step.link)))
		require.True(t, strings.HasPrefix(b.heading(), step.heading), "%s leads to %s", step.link, b.heading())
	}
	require.Empty(t, b.heard())
}

func worksByKeyboard(t *testing.T, s *site, chrome *chromium) {
	b := chrome.open(t)
	b.visit(s.url + "/order?id=o3")
	b.press(kb.Tab)
	require.True(t, ask[bool](b, `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().left >= 0`), "the first is a link over all that every page has")
	b.press(kb.Enter)
	b.press(kb.Tab)
	require.True(t, ask[bool](b, `document.activeElement.matches("main *")`), "it leads into the content")

	b.visit(s.url + "/")
	b.tabTo("#q")
	b.press("o2")
	b.goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Order o2", b.heading())
	for _, step := range journey {
		b.tabTo(step.link)
		b.goes(chromedp.KeyEvent(kb.Enter))
		require.True(t, strings.HasPrefix(b.heading(), step.heading), "%s leads to %s", step.link, b.heading())
	}
	require.Empty(t, b.heard())
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until something has the focus, and requires that people see where that is all
// the way.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	const most = 300
	for range most {
		b.press(kb.Tab)
		focus := ask[struct {
			Found, Seen bool
			What        string
		}](b, `(() => {
			const e = document.activeElement, style = getComputedStyle(e), at = e.getBoundingClientRect()
			return {
				found: e.matches(`+"`"+selector+"`"+`), what: e.outerHTML.slice(0, 200),
				seen: e.matches(":focus-visible") && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
					&& at.width > 0 && at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth,
			}
		})()`)
		require.True(b.t, focus.Seen, "nobody sees that this has the focus: %s", focus.What)
		if focus.Found {
			return
		}
	}
	require.Fail(b.t, "Tab does not lead to "+selector)
}

// showsWhatChanges: where scripts run, a page shows by itself what happened, and people stay where
// they are.
func showsWhatChanges(t *testing.T, s *site, chrome *chromium) {
	b := chrome.open(t)
	b.visit(s.url + "/order?id=o3")
	b.tabTo(`main a[href="/product?id=CHAIR"]`)
	ask[bool](b, `window.same = true`)
	s.Send("CreateBatch", "ref=b3", "sku=CHAIR", "qty=100")
	testbed.Eventually(t, func() bool {
		return ask[bool](b, `document.querySelector("main").innerText.includes("batch b3")`)
	}, "the order has its batch")
	require.True(t, ask[bool](b, `window.same`), "the page was not loaded again")
	require.Equal(t, "/product?id=CHAIR", ask[string](b, `document.activeElement.getAttribute("href")`))
	require.Empty(t, b.heard())
}

// takesItsToken: a console beyond loopback asks for its token, below a path of its own.
func takesItsToken(t *testing.T, s *site, chrome *chromium) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("a token of a console\n"), 0o600))
	url := s.StartConsole("--console-token-file="+file, "--console-prefix=/stock")
	b := chrome.open(t)
	require.Empty(t, b.faults(url+"/order?id=o2"))
	require.Equal(t, "Sign in", b.heading())
	enter := func(token string) {
		b.do(chromedp.SendKeys(chromedp.CSS("#token"), token))
		b.goes(chromedp.Click(chromedp.CSS("main button")))
	}
	enter("another token of a console")
	require.Equal(t, "This is not the token.", ask[string](b, `document.querySelector("[role=alert]").innerText`))
	require.Empty(t, b.axe(b.axeIn()))
	enter("a token of a console")
	require.Equal(t, "Order o2", b.heading())
	require.Equal(t, url+"/order?id=o2", ask[string](b, `location.href`))
	require.Empty(t, ask[string](b, `document.cookie`), "scripts do not see what lets a browser in")
}
