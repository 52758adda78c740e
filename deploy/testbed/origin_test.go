//go:build containers

package testbed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/containers"
)

// TestOrigin_containers is run by containers/prove.sh.
func TestOrigin_containers(t *testing.T) {
	t.Parallel()
	require.IsType(t, &containers.Container{}, StartPostgres(t).server.controls)
	require.IsType(t, &containers.Container{}, StartKafka(t).server.controls)
}
