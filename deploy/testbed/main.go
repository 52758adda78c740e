package testbed

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main is for a package's TestMain. It runs the tests, stops the servers that they started, fails
// on goroutines left behind (except those that the options name), and exits. The variables that
// name servers are taken out of the environment: what tests start is to see none of them.
func Main(m *testing.M, leaks ...goleak.Option) {
	for _, s := range []*shared{sharedKafka, sharedPostgres} {
		s.named = os.Getenv(s.variable)
		_ = os.Unsetenv(s.variable)
	}
	goleak.VerifyTestMain(run{m}, append(leaks, containersReaper)...)
}

// containersReaper is testcontainers' connection to the container that removes all others when this
// process is gone. It stays until then.
var containersReaper = goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1")

// run is a test run that ends with its servers.
type run struct{ m *testing.M }

func (r run) Run() int {
	code := r.m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		return max(code, 1)
	}
	return code
}
