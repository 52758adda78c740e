package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sessionTimeout is the group's.
func sessionTimeout(t testing.TB) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(setting("E2E_SESSION_TIMEOUT", "3s"))
	require.NoError(t, err)
	return d
}

func number(t testing.TB, variable, usual string) int {
	t.Helper()
	n, err := strconv.Atoi(setting(variable, usual))
	require.NoError(t, err, variable)
	return n
}

func setting(variable, usual string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return usual
}

// random is the test's source of randomness.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(setting("E2E_SEED", strconv.FormatUint(rand.Uint64(), 10)), 10, 64)
	require.NoError(t, err)
	t.Logf("again with: E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
