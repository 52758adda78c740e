package testbed

import (
	"testing"

	"allocation/deploy/testbed/proxy"
)

// Proxy makes a proxy that ends with the test.
func Proxy(t testing.TB) *proxy.Proxy {
	t.Helper()
	p, err := proxy.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}
