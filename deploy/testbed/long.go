package testbed

import "testing"

// Long leaves a test to `make test-all`, which CI runs, where `make test` asks for short ones by
// -short. It is for what takes long by its nature: several brokers, or a wait that cannot be made
// shorter.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all runs it")
	}
}
