package api_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// schemathesis sends requests that the contract allows and others, and checks each answer against
// it. All its checks are on, but one in one phase: see testdata/schemathesis.toml. A worker runs,
// so that requests that wait get an outcome.
func TestAPI_keepsItsContractWhateverIsAsked(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	program := os.Getenv("SCHEMATHESIS")
	if program == "" {
		var err error
		program, err = filepath.Abs("../../../.cache/bin/schemathesis")
		require.NoError(t, err)
		require.FileExists(t, program, "schemathesis is missing: `make test-all` gets it; elsewhere install it, or name one in SCHEMATHESIS")
	}
	s := newService(t, testbed.Kafka(t))
	s.startWorker()
	c := s.startAPI()
	config, err := filepath.Abs("testdata/schemathesis.toml")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--config-file", config, "run", c.url+"/v1/openapi.json", "--max-examples=50", "--max-time=60", "--no-color")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "COLUMNS=160")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	t.Logf("%s", said)
	require.Greater(t, s.records(), int64(100), "it wrote commands")
}
