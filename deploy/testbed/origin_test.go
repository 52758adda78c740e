//go:build containers

package testbed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOrigin_containers is run by containers/prove.sh.
func TestOrigin_containers(t *testing.T) {
	t.Parallel()
	require.Equal(t, fromContainer, StartPostgres(t).server.origin)
	require.Equal(t, fromContainer, StartKafka(t).server.origin)
}
