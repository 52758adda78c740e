package browser

import (
	"testing"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/chromium"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// TestConsole shares one worker, one console and one Chromium among all that is proven in it, one
// after the other.
func TestConsole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	chrome := chromium.Start(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *site, *chromium.Browser)
	}{
		{"noticesWhatIsWrong", noticesWhatIsWrong},
		{"hasPagesWithoutFault", hasPagesWithoutFault},
		{"worksWithoutScripts", worksWithoutScripts},
		{"worksByKeyboard", worksByKeyboard},
		{"showsWhatChanges", showsWhatChanges},
		{"takesItsToken", takesItsToken},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, s, chrome) })
	}
}
