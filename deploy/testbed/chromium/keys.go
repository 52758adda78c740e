package chromium

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// Press presses keys.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// TabTo presses Tab until something has the focus, and requires that people see where that is all
// the way.
func (b *Tab) TabTo(selector string) {
	b.t.Helper()
	const most = 300
	for range most {
		b.Press(kb.Tab)
		focus := Ask[struct {
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
