// Package chromium looks at pages in Chromium: whether people can use them in light and dark, on a
// wide and on a narrow screen, and by keyboard.
package chromium

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Browser is one that runs.
type Browser struct{ ctx context.Context }

// Start starts Chromium, which ends with the test.
func Start(t *testing.T) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findChromium(t)),
		chromedp.NoSandbox, // root may have none, and the pages are ours
		chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	require.NoError(t, chromedp.Do(ctx))
	t.Cleanup(func() {
		require.NoError(t, chromedp.Cancel(ctx))
		cancel()
	})
	return &Browser{ctx}
}

func findChromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	path := tool(t, "chromium")
	if _, err := os.Stat(path); err != nil {
		path, err = exec.LookPath("chromium")
		require.NoError(t, err, "Chromium is missing: `make test` gets it on Debian; elsewhere install it, or name one in CHROMIUM")
	}
	return path
}

// Tab is a tab of the browser. What goes wrong in it is kept: what its console says, what the
// policy of its pages forbids, and a dialogue, which no page of ours opens.
type Tab struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

// Open opens a tab that closes with the test.
func (c *Browser) Open(t *testing.T) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, tab.hear))
	Call(tab, log.Enable, cdp.Empty{})
	Call(tab, audits.Enable, cdp.Empty{})
	tab.Look("light", wide)
	return tab
}

// Do does this in the tab.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// Call runs a command of the protocol in the tab.
func Call[P, R any](b *Tab, command cdp.Command[P, R], parameters P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, parameters)
	require.NoError(b.t, err)
	return result
}

// Goes does what leads to another page, and returns when that is there.
func (b *Tab) Goes(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, actions...)
	require.NoError(b.t, err)
}

// Visit opens a page.
func (b *Tab) Visit(url string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(url))
}

// Sizes of screens.
const (
	wide   = 1280
	narrow = 360
	height = 800
)

// Look has the tab show pages in a theme, on a screen so wide.
func (b *Tab) Look(theme string, width int64) {
	b.t.Helper()
	Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
	Call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// Ask is what an expression says in the page.
func Ask[T any](b *Tab, expression string, options ...chromedp.EvaluateOption) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, options...))
	require.NoError(b.t, err, expression[:min(len(expression), 200)])
	return value
}

// Heading is the page's first heading.
func (b *Tab) Heading() string {
	b.t.Helper()
	return Ask[string](b, `document.querySelector("h1")?.innerText ?? ""`)
}

func (b *Tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var said []string
			for _, arg := range e.Args {
				said = append(said, string(arg.Value)+arg.Description)
			}
			b.note("console.%s: %s", e.Type, strings.Join(said, " "))
		}
	case *runtime.EventExceptionThrown:
		b.note("an exception: %+v", e.ExceptionDetails)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.note("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		b.note("%s: %s", e.Issue.Code, details(e.Issue.Details))
	case *page.EventJavascriptDialogOpening:
		b.note("a dialogue says %q", e.Message)
	}
}

func details(d *audits.InspectorIssueDetails) string {
	if p := d.ContentSecurityPolicyIssueDetails; p != nil {
		return fmt.Sprintf("%s %s", p.ViolatedDirective, p.ContentSecurityPolicyViolationType)
	}
	return fmt.Sprintf("%+v", d)
}

func (b *Tab) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
}

// Heard is what went wrong since it was last asked.
func (b *Tab) Heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	wrong := b.wrong
	b.wrong = nil
	return wrong
}

// world gives the option to ask where the page's scripts see nothing of ours, and its policy does
// not hold.
func (b *Tab) world() chromedp.EvaluateOption {
	b.t.Helper()
	frame := Call(b, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	id := Call(b, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: frame}).ExecutionContextID
	return func(p *runtime.EvaluateParams) { p.ContextID = id }
}
