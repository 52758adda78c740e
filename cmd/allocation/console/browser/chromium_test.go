package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// tools is where make puts what tests need.
const tools = "../../../../.cache/bin/"

// chromium is a browser that runs.
type chromium struct{ ctx context.Context }

// startChrome starts Chromium, which ends with the test.
func startChrome(t *testing.T) *chromium {
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
	return &chromium{ctx}
}

func findChromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	path, err := filepath.Abs(tools + "chromium")
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		path, err = exec.LookPath("chromium")
		require.NoError(t, err, "Chromium is missing: `make test` gets it on Debian; elsewhere install it, or name one in CHROMIUM")
	}
	return path
}

// tab is a tab of the browser. What goes wrong in it is kept: what its console says, what the
// policy of its pages forbids, and a dialogue, which no page of ours opens.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

// open opens a tab that closes with the test.
func (c *chromium) open(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, tab.hear))
	call(tab, log.Enable, cdp.Empty{})
	call(tab, audits.Enable, cdp.Empty{})
	tab.look("light", wide)
	return tab
}

// do does this in the tab.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// call runs a command of the protocol in the tab.
func call[P, R any](b *tab, command cdp.Command[P, R], parameters P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, parameters)
	require.NoError(b.t, err)
	return result
}

// goes does what leads to another page, and returns when that is there.
func (b *tab) goes(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, actions...)
	require.NoError(b.t, err)
}

// visit opens a page.
func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// Sizes of screens.
const (
	wide   = 1280
	narrow = 360
	height = 800
)

// look has the tab show pages in a theme, on a screen so wide.
func (b *tab) look(theme string, width int64) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// ask is what an expression says in the page.
func ask[T any](b *tab, expression string, options ...chromedp.EvaluateOption) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, options...))
	require.NoError(b.t, err, expression[:min(len(expression), 200)])
	return value
}

// heading is the page's first heading.
func (b *tab) heading() string {
	b.t.Helper()
	return ask[string](b, `document.querySelector("h1")?.innerText ?? ""`)
}

func (b *tab) hear(event any) {
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

func (b *tab) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
}

// heard is what went wrong since it was last asked.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	wrong := b.wrong
	b.wrong = nil
	return wrong
}

// world gives the option to ask where the page's scripts see nothing of ours, and its policy does not
// hold.
func (b *tab) world() chromedp.EvaluateOption {
	b.t.Helper()
	frame := call(b, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	id := call(b, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: frame}).ExecutionContextID
	return func(p *runtime.EvaluateParams) { p.ContextID = id }
}
