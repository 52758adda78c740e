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
	"allocation/deploy/testbed/chromium"
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

func worksWithoutScripts(t *testing.T, s *site, chrome *chromium.Browser) {
	b := chrome.Open(t)
	chromium.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.Visit(s.url + "/")
	b.Do(chromedp.SendKeys(chromedp.CSS("#q"), "o2"))
	b.Goes(chromedp.Click(chromedp.CSS(".find button")))
	require.Equal(t, "Order o2", b.Heading())
	for _, step := range journey {
		b.Goes(chromedp.Click(chromedp.CSS(step.link)))
		require.True(t, strings.HasPrefix(b.Heading(), step.heading), "%s leads to %s", step.link, b.Heading())
	}
	require.Empty(t, b.Heard())
}

func worksByKeyboard(t *testing.T, s *site, chrome *chromium.Browser) {
	b := chrome.Open(t)
	b.Visit(s.url + "/order?id=o3")
	b.Press(kb.Tab)
	require.True(t, chromium.Ask[bool](b, `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().left >= 0`), "the first is a link over all that every page has")
	b.Press(kb.Enter)
	b.Press(kb.Tab)
	require.True(t, chromium.Ask[bool](b, `document.activeElement.matches("main *")`), "it leads into the content")

	b.Visit(s.url + "/")
	b.TabTo("#q")
	b.Press("o2")
	b.Goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Order o2", b.Heading())
	for _, step := range journey {
		b.TabTo(step.link)
		b.Goes(chromedp.KeyEvent(kb.Enter))
		require.True(t, strings.HasPrefix(b.Heading(), step.heading), "%s leads to %s", step.link, b.Heading())
	}
	require.Empty(t, b.Heard())
}

// showsWhatChanges: where scripts run, a page shows by itself what happened, and people stay where
// they are.
func showsWhatChanges(t *testing.T, s *site, chrome *chromium.Browser) {
	b := chrome.Open(t)
	b.Visit(s.url + "/order?id=o3")
	b.TabTo(`main a[href="/product?id=CHAIR"]`)
	chromium.Ask[bool](b, `window.same = true`)
	s.Send("CreateBatch", "ref=b3", "sku=CHAIR", "qty=100")
	testbed.Eventually(t, func() bool {
		return chromium.Ask[bool](b, `document.querySelector("main").innerText.includes("batch b3")`)
	}, "the order has its batch")
	require.True(t, chromium.Ask[bool](b, `window.same`), "the page was not loaded again")
	require.Equal(t, "/product?id=CHAIR", chromium.Ask[string](b, `document.activeElement.getAttribute("href")`))
	require.Empty(t, b.Heard())
}

// takesItsToken: a console beyond loopback asks for its token, below a path of its own.
func takesItsToken(t *testing.T, s *site, chrome *chromium.Browser) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("a token of a console\n"), 0o600))
	url := s.StartConsole("--console-token-file="+file, "--console-prefix=/stock")
	b := chrome.Open(t)
	require.Empty(t, b.Faults(url+"/order?id=o2"))
	require.Equal(t, "Sign in", b.Heading())
	enter := func(token string) {
		b.Do(chromedp.SendKeys(chromedp.CSS("#token"), token))
		b.Goes(chromedp.Click(chromedp.CSS("main button")))
	}
	enter("another token of a console")
	require.Equal(t, "This is not the token.", chromium.Ask[string](b, `document.querySelector("[role=alert]").innerText`))
	require.Empty(t, b.Axe(b.AxeIn()))
	enter("a token of a console")
	require.Equal(t, "Order o2", b.Heading())
	require.Equal(t, url+"/order?id=o2", chromium.Ask[string](b, `location.href`))
	require.Empty(t, chromium.Ask[string](b, `document.cookie`), "scripts do not see what lets a browser in")
}
