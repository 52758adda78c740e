package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local/child"
)

// program is the built binary. Its folder is removed when this process is gone.
type program struct {
	path    string
	sweeper *child.Sweeper
}

// binary builds the program with faults, once for the test run.
func binary(t *testing.T) string {
	t.Helper()
	p, err := built()
	require.NoError(t, err)
	return p.path
}

var built = sync.OnceValues(func() (p program, err error) {
	dir, sweeper, err := child.TempDir("allocation-e2e-*")
	if err != nil {
		return p, err
	}
	path := filepath.Join(dir, "allocation")
	args := []string{"build", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "allocation/cmd/allocation/e2e/faulty")...).CombinedOutput(); err != nil {
		return p, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return program{path, sweeper}, nil
})
