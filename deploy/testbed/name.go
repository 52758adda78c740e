package testbed

import (
	"crypto/rand"
	"strings"
	"testing"
)

// uniqueName makes a name from the test's, so that a person who looks at the server knows whose it
// is. No other test of any process has it.
func uniqueName(t testing.TB) string {
	const most = 40 // of Postgres' 63 bytes
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(t.Name()))
	return readable[:min(len(readable), most)] + "_" + randomSuffix()
}

// randomSuffix is eight letters and digits.
func randomSuffix() string { return strings.ToLower(rand.Text()[:8]) }
